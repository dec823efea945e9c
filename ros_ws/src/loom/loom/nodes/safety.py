"""safety: the only node that publishes `cmd_vel`; it clamps, stops or passes each proposed motion."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.act.kernel import SafetyKernel
from loom.core.config import NodeConfig
from loom.guard.limits import Footprint, Limits
from loom.ros.motion_gate import MotionGate
from loom.ros.node import LoomNode, Part
from loom.ros.process import run


class SafetyConfig(NodeConfig):
    """Limits of every motion."""

    rate_hz: float = Field(25.0, ge=10, le=200, description='Commands a second, besides one for each proposal.')
    max_speed_m_s: float = Field(0.6, gt=0, le=3, description='Highest speed.')
    max_turn_rad_s: float = Field(1.5, gt=0, le=6, description='Fastest turn.')
    max_acceleration_m_s2: float = Field(0.8, gt=0, le=10, description='Highest acceleration.')
    max_braking_m_s2: float = Field(1.2, gt=0, le=10, description='Deceleration that stops are planned with.')
    max_turn_acceleration_rad_s2: float = Field(4.0, gt=0, le=50, description='Highest angular acceleration.')
    silence_s: float = Field(0.5, ge=0.05, le=0.5, description='A proposal counts no longer than this.')
    scan_age_s: float = Field(0.3, ge=0.05, le=1, description='With an older scan the base does not drive.')
    latency_s: float = Field(0.2, ge=0.01, le=1, description='From a thing appearing to the brakes acting.')


class Safety(LoomNode):
    """Says on loom/motion/decision what became of each motion, and why."""

    Config = SafetyConfig
    config: SafetyConfig

    def configure(self) -> None:
        """A kernel with these limits."""
        limits = Limits(**self.config.model_dump(exclude={'rate_hz'}))
        self._gate = MotionGate(self, SafetyKernel(limits, Footprint()), self.config.rate_hz)

    def deactivate(self) -> None:
        """Stops the base."""
        self._gate.halt()

    def diagnose(self) -> Iterable[Part]:
        """The decision in force."""
        return self._gate.diagnose()


def main() -> None:
    """Runs the node."""
    run(Safety)


if __name__ == '__main__':
    main()
