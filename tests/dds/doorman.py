from loom import Agent, Context, Event
from loom.dds import run

doorman = Agent('doorman')

@doorman.on('door.*.opened')
async def greet(ctx: Context, event: Event) -> None:
    name = await ctx.request('registry', 'guest.wanted', event.data)
    await ctx.emit('guest.greeted', {'name': name, **event.data})

@doorman.on('doors.wanted')
async def doors(ctx: Context, event: Event) -> list[str]:
    return ['front', 'garden']

run(doorman)
