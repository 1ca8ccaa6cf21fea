import heapq
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.session.jobs.choice import Assignment, Candidate, PodLoad, assign, plan
from comfydesk.store.records import ANY

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
        assert (pod in chosen) == bool(mine and load.room)
        if pod in chosen:
            assert mine[chosen[pod]] == min(mine.values())
    assert set(chosen) <= set(pods)


# --- Any pod ----------------------------------------------------------------------------------------------------


def test_a_job_for_any_pod_goes_where_it_is_done_first() -> None:
    job = Candidate("a", ANY, 1, seconds={"slow": 8.0, "fast": 2.0})
    pods = {"slow": ONLINE, "fast": PodLoad(ready=True, ours=1, backlog=5.0)}
    assert plan([job], pods) == {"a": "fast"}
    pods["fast"] = PodLoad(ready=True, ours=1, backlog=7.0)
    assert plan([job], pods) == {"a": "slow"}


def test_a_busy_fast_pod_is_worth_waiting_for_and_the_slow_one_takes_what_comes_later() -> None:
    jobs = [Candidate(str(number), ANY, number, seconds={"slow": 8.0, "fast": 1.0}) for number in range(12)]
    pods = {"slow": ONLINE, "fast": PodLoad(ready=True, ours=2, backlog=1.5)}
    planned = plan(jobs, pods)
    assert [planned[str(number)] for number in range(6)] == ["fast"] * 6
    assert planned["6"] == "slow"
    assert assign(jobs, pods) == (Assignment("6", "slow"),)
    assert assign(jobs[:6], pods) == (), "nothing is given to a pod that would be the last to finish it"


def test_only_pods_that_can_run_it_and_have_its_inputs_get_it() -> None:
    job = Candidate("a", ANY, 1, seconds={"able": 9.0})
    pods = {"able": ONLINE, "other": ONLINE}
    assert assign([job], pods) == (Assignment("a", "able"),)
    assert assign([Candidate("b", ANY, 1)], pods) == ()
    lacking = Candidate("c", ANY, 1, seconds={"able": 9.0}, lacking=frozenset({"able"}))
    behind = Candidate("d", ANY, 2, seconds={"able": 9.0})
    assert assign([lacking, behind], pods) == (Assignment("d", "able"),)


def test_other_peoples_jobs_and_those_for_one_pod_count() -> None:
    pods = {"busy": PodLoad(ready=True, ours=0, backlog=30.0), "free": PodLoad(ready=True, ours=0)}
    own = [Candidate(str(number), "free", number, seconds={"free": 10.0}) for number in range(2)]
    any_ = Candidate("a", ANY, 5, seconds={"busy": 10.0, "free": 10.0})
    assert plan([*own, any_], pods)["a"] == "free"
    own.append(Candidate("2", "free", 3, seconds={"free": 15.0}))
    assert plan([*own, any_], pods)["a"] == "busy"


def simulate(count: int, seconds: Mapping[str, float], *, ahead: int = 1) -> tuple[float, dict[str, int]]:
    """A batch of equal jobs run by pods as `assign` decides: when the last is done, and how many each has done."""
    waiting = [Candidate(f"{number:04}", ANY, number, seconds=seconds) for number in range(count)]
    ends: dict[str, list[float]] = {pod: [] for pod in seconds}
    done = dict.fromkeys(seconds, 0)
    now = 0.0
    while waiting or any(ends.values()):
        while True:
            pods = {
                pod: PodLoad(True, len(times), ahead, backlog=max(0.0, times[-1] - now) if times else 0.0)
                for pod, times in ends.items()
            }
            chosen = assign(waiting[:64], pods)
            if not chosen:
                break
            for one in chosen:
                waiting = [job for job in waiting if job.id != one.job]
                begin = ends[one.pod][-1] if ends[one.pod] else now
                ends[one.pod].append(begin + seconds[one.pod])
        assert any(ends.values()), "something always goes on"
        now = min(times[0] for times in ends.values() if times)
        for pod, times in ends.items():
            while times and times[0] <= now:
                times.pop(0)
                done[pod] += 1
    return now, done


def ideal(count: int, seconds: Mapping[str, float]) -> float:
    """When the last of `count` equal jobs is done, if each is begun where it ends first."""
    heap = [(one, one) for one in seconds.values()]
    heapq.heapify(heap)
    end = 0.0
    for _ in range(count):
        end, one = heapq.heappop(heap)
        heapq.heappush(heap, (end + one, one))
    return end


def test_seventy_jobs_over_pods_of_speed_one_two_and_four_end_as_soon_as_they_can() -> None:
    seconds = {"one": 4.0, "two": 2.0, "four": 1.0}
    end, done = simulate(70, seconds)
    assert done == {"one": 10, "two": 20, "four": 40}
    assert end == 40.0 == ideal(70, seconds)


@pytest.mark.parametrize("ahead", [0, 1, 3])
@given(st.integers(1, 90), st.lists(st.floats(0.1, 10.0), min_size=1, max_size=5))
def test_any_batch_over_any_pods_ends_near_the_ideal(ahead: int, count: int, times: list[float]) -> None:
    seconds = {str(number): one for number, one in enumerate(times)}
    end, done = simulate(count, seconds, ahead=ahead)
    assert sum(done.values()) == count
    # A slow pod learns only from the 64 in sight that it is needed. Each that learns it too late leaves one job more to
    # the others, and that costs no more than the quickest pod takes for one.
    assert end <= ideal(count, seconds) + min(times) * (len(times) - 1) + 1e-6


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sets(st.sampled_from("pqr"))), max_size=20),
    st.dictionaries(st.sampled_from("pqr"), LOADS),
)
def test_what_is_planned_can_run_there_and_what_can_run_is_planned(
    jobs: list[tuple[int, set[str]]], pods: dict[str, PodLoad]
) -> None:
    waiting = [
        Candidate(str(number), ANY, place, seconds=dict.fromkeys(able, 1.0))
        for number, (place, able) in enumerate(jobs)
    ]
    planned = plan(waiting, pods)
    for job in waiting:
        possible = {pod for pod in job.seconds if pod in pods and pods[pod].ready}
        assert (planned.get(job.id) in possible) if possible else job.id not in planned
    assert all(pods[one.pod].room for one in assign(waiting, pods, planned))
    away = {pod: replace(load, ready=False) for pod, load in pods.items()}
    assert plan(waiting, away) == {}
    assert math.isfinite(sum(load.backlog for load in pods.values()))
