from hypothesis import given
from hypothesis import strategies as st

from comfydesk.session.jobs.choice import Assignment, Candidate, PodLoad, assign

ONLINE = PodLoad(ready=True, ours=0)


def test_one_runs_and_one_waits_ahead_sent_one_at_a_time() -> None:
    waiting = [Candidate("a", "p", 1), Candidate("b", "p", 2)]
    assert assign(waiting, {"p": ONLINE}) == (Assignment("a", "p"),)
    assert assign(waiting, {"p": PodLoad(ready=True, ours=1)}) == (Assignment("a", "p"),)
    assert assign(waiting, {"p": PodLoad(ready=True, ours=1, sending=True)}) == ()
    assert assign(waiting, {"p": PodLoad(ready=True, ours=2)}) == ()
    assert assign(waiting, {"p": PodLoad(ready=True, ours=3)}) == ()


def test_how_many_wait_ahead_is_a_choice() -> None:
    waiting = [Candidate("a", "p", 1)]
    assert assign(waiting, {"p": PodLoad(ready=True, ours=1, ahead=0)}) == ()
    assert assign(waiting, {"p": PodLoad(ready=True, ours=2, ahead=2)}) == (Assignment("a", "p"),)


def test_the_place_in_the_queue_decides_not_the_order_of_arrival() -> None:
    waiting = [Candidate("late", "p", 2), Candidate("moved up", "p", 0.5), Candidate("first", "p", 1)]
    assert assign(waiting, {"p": ONLINE}) == (Assignment("moved up", "p"),)


def test_a_pod_that_is_away_or_unknown_holds_up_its_own_jobs_only() -> None:
    waiting = [Candidate("a", "away", 1), Candidate("b", "nobody's", 2), Candidate("c", "p", 3)]
    pods = {"away": PodLoad(ready=False, ours=0), "p": ONLINE}
    assert assign(waiting, pods) == (Assignment("c", "p"),)


def test_one_that_is_not_ready_keeps_its_place_for_a_moment_and_is_then_passed() -> None:
    waiting = [Candidate("a", "p", 1, ready=False, patience=0.5), Candidate("b", "p", 2)]
    assert assign(waiting, {"p": ONLINE}) == ()
    waiting[0] = Candidate("a", "p", 1, ready=False)
    assert assign(waiting, {"p": ONLINE}) == (Assignment("b", "p"),)


LOADS = st.builds(PodLoad, st.booleans(), st.integers(0, 4), st.integers(0, 3), st.booleans())


@given(
    st.lists(st.tuples(st.sampled_from("pqr"), st.integers(0, 50)), max_size=30),
    st.dictionaries(st.sampled_from("pqr"), LOADS),
)
def test_each_open_pod_gets_the_first_of_its_own(jobs: list[tuple[str, int]], pods: dict[str, PodLoad]) -> None:
    waiting = [Candidate(str(number), pod, position) for number, (pod, position) in enumerate(jobs)]
    chosen = {assignment.pod: assignment.job for assignment in assign(waiting, pods)}
    for pod, load in pods.items():
        mine = {job.id: job.position for job in waiting if job.pod == pod}
        assert (pod in chosen) == bool(mine and load.open)
        if pod in chosen:
            assert mine[chosen[pod]] == min(mine.values())
    assert set(chosen) <= set(pods)
