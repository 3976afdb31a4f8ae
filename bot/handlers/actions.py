"""What can be asked for, one handler each: every door uses these, so none does it in a way of its own."""

from dataclasses import dataclass

from bot.handlers.approvals import ApprovalHandler
from bot.handlers.authorization import Authorization
from bot.handlers.backfills import BackfillHandler
from bot.handlers.builds import BuildHandler
from bot.handlers.cancel import CancelHandler
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.exec import ExecHandler
from bot.handlers.forks import ForkHandler
from bot.handlers.freezes import FreezeHandler
from bot.handlers.locks import LockHandler
from bot.handlers.pauses import PauseHandler
from bot.handlers.plans import Planner, WhyHandler
from bot.handlers.rerun import RerunHandler
from bot.handlers.selection import RunSelection
from bot.handlers.start import StartHandler


@dataclass(frozen=True, slots=True)
class Actions:
    """`enqueuer` stores the orders that `starts`, `reruns` and `execs` make."""

    authorization: Authorization
    selection: RunSelection
    starts: StartHandler
    reruns: RerunHandler
    execs: ExecHandler
    enqueuer: Enqueuer
    approvals: ApprovalHandler
    forks: ForkHandler
    cancels: CancelHandler
    builds: BuildHandler
    locks: LockHandler
    freezes: FreezeHandler
    pauses: PauseHandler
    backfills: BackfillHandler
    plans: Planner
    reasons: WhyHandler
