"""The load of a rollout's load stage, sent by this machine's load client and waited for in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cli.rollouts.plan import Plan, Stage
from cli.rollouts.ports import Pressed
from cli.rollouts.procedure import Press
from cli.rollouts.ruling import STOPPED, Ruling, looks, rule, stranger
from infra.errors import OpsError, Unavailable

if TYPE_CHECKING:
    from loadtests.order import Order
    from loadtests.report.run_file import Run
    from loadtests.run.client import Load
    from loadtests.search.criterion import Criterion


class StageLoad:
    """The port of the rollout loop for loads on the canary of one service; `url` asks where the region answers now."""

    def __init__(self, model: str, url: Callable[[], str]) -> None:
        self._model, self._url = model, url
        self._sending: _Sending | None = None

    @property
    def under_way(self) -> bool:
        return self._sending is not None

    def begin(self, plan: Plan, press: Press) -> None:
        """Begin to send, in a process of its own."""
        self.stop()
        self._sending = _Sending(lambda sending: self._press(plan, press, sending))

    def ended(self) -> Pressed | None:
        """What came of it, told once. Raises what a bug of ours raised."""
        if self._sending is None or not self._sending.future.done():
            return None
        done, self._sending = self._sending, None
        return done.future.result()

    def stop(self) -> None:
        """Kill the client; one that is just starting is killed as soon as it can be."""
        if self._sending is not None:
            self._sending.kill()
            self._sending = None

    def _press(self, plan: Plan, press: Press, sending: _Sending) -> Pressed:
        assert plan.load is not None, "only a plan with a load stage decides to press"
        try:
            return _judged(sending.send(self._order(plan, plan.load, press)), plan, plan.load, press)
        except (OpsError, ValidationError) as error:  # neither for the release nor against it
            what = error.what if isinstance(error, OpsError) else "its load profile is not one of this version"
            return Pressed(Ruling("cannot tell", (f"the load could not be sent: {what}",)), {})

    def _order(self, plan: Plan, load: Stage, press: Press) -> Order:
        """Requests that Envoy sends to the canary alone; Prometheus is not told of their client."""
        from infra.load_profile import LoadProfile
        from loadtests.order import Order, Slo, Timeouts
        from loadtests.run.ordered import fingerprint
        from loadtests.search.criterion import thresholds

        profile, slo = LoadProfile.model_validate(load.profile), thresholds(_criteria(load))
        if load.traces not in ("", fingerprint(profile)):
            raise Unavailable(f"the trace of {profile.name} was edited since the rollout was planned")
        return Order(
            service=plan.service,
            model=self._model,
            url=self._url(),
            profile=profile,
            rate=load.rate,
            duration=press.seconds,
            seed=press.attempt,  # each attempt draws its own arrivals
            traffic="synthetic",
            slo=Slo(**slo) if slo else None,
            grace=Timeouts().total,  # an answer that is cut off would count as failed
            fleet=plan.fleet,
            region=plan.region,
        )


class _Sending:
    """One load: its thread, and its client as soon as there is one."""

    def __init__(self, work: Callable[[_Sending], Pressed]) -> None:
        self._lock, self._killed = Lock(), False
        self._load: Load | None = None
        self.future: Future[Pressed] = Future()
        Thread(target=self._run, args=(work,), name="load stage", daemon=True).start()  # nobody's exit waits for it

    def _run(self, work: Callable[[_Sending], Pressed]) -> None:
        try:
            self.future.set_result(work(self))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result raises it
            self.future.set_exception(error)

    def send(self, order: Order) -> Run:
        """The run, when it has ended. Raises LoadError where the client died or was killed."""
        from loadtests.report.run_file import Run
        from loadtests.run.client import start

        load = start(order)
        self._keep(load)
        report = load.wait()
        assert load.book is not None, "a load that has a report has the book that it was made of"
        return Run(report, load.book)

    def kill(self) -> None:
        """End it now, or as soon as its client has started."""
        with self._lock:
            self._killed = True
            if self._load is not None:
                self._load.kill()

    def _keep(self, load: Load) -> None:
        with self._lock:
            self._load = load
            if self._killed:
                load.kill()


def _criteria(load: Stage) -> tuple[Criterion, ...]:
    from loadtests.search.criterion import criterion

    return tuple(criterion(text) for text in load.slo)


def _judged(run: Run, plan: Plan, load: Stage, press: Press) -> Pressed:
    """The ruling of `ops load gate`, if it was the canary that answered."""
    from loadtests.search.finding import strictness
    from loadtests.search.probe import judged

    asked = _criteria(load)
    facts = judged(run, asked, strictness(looks(len(asked), press.attempt)), load.rate)
    other = stranger(run.book.cells, plan.canary)
    ruling = Ruling("cannot tell", (other,)) if other else rule(facts)
    ruling = STOPPED if run.report.interrupted else ruling
    return Pressed(ruling, facts.model_dump(mode="json"))
