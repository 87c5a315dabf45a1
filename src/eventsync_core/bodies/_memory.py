import attrs

from eventsync_core.bodies._fold import reopened
from eventsync_core.bodies._model import (
    Added,
    Body,
    BodyCounts,
    BodyKey,
    BodyUpload,
    Listed,
    Owed,
    Reopening,
    Standing,
    UploadFailure,
    UploadState,
)
from eventsync_core.bodies._rules import (
    LONGEST_WAIT,
    covers,
    first_standing,
    merge_failures,
    reconcile,
)
from eventsync_core.egress import Grant
from eventsync_core.ledger import Act
from eventsync_core.targets import TargetRegistry


@attrs.define
class MemoryBodies:
    """`Bodies` that live as long as the object."""

    targets: TargetRegistry
    _uploads: dict[BodyKey, BodyUpload] = attrs.field(factory=dict)
    _numbers: dict[BodyKey, int] = attrs.field(factory=dict)
    _bodies: dict[int, Body] = attrs.field(factory=dict)
    _standings: dict[tuple[str, int], Standing] = attrs.field(factory=dict)
    _failures: dict[tuple[BodyKey, str], UploadFailure] = attrs.field(factory=dict)
    _heads: dict[str, int] = attrs.field(factory=dict)
    _reopenings: dict[tuple[str, int], list[Reopening]] = attrs.field(factory=dict)

    def add(self, stream: str, upload: BodyUpload, *, at: int) -> Added:
        """See `Bodies.add`."""
        stored = self._uploads.get(upload.key)
        if stored is not None:
            added, self._uploads[upload.key] = reconcile(stored, upload)
            number = self._numbers[upload.key]
            created_at = self._uploads[upload.key].created_at
            self._bodies[number] = attrs.evolve(self._bodies[number], created_at=created_at)
            return added
        number = self._heads[stream] = self.head() + 1
        self._uploads[upload.key] = upload
        self._numbers[upload.key] = number
        self._bodies[number] = Body(
            number=number,
            stream=stream,
            key=upload.key,
            hash_algorithm=upload.hash_algorithm,
            size_bytes=upload.size_bytes,
            created_at=upload.created_at,
            added_at=at,
        )
        return Added.STORED

    def get(self, key: BodyKey) -> BodyUpload | None:
        """See `Bodies.get`."""
        return self._uploads.get(key)

    def find(self, key: BodyKey, target_id: str = "") -> Listed | None:
        """See `Bodies.find`."""
        if key not in self._numbers:
            return None
        body = self._bodies[self._numbers[key]]
        return Listed(body, self._standing(target_id, body))

    def head(self) -> int:
        """See `Bodies.head`."""
        return max(self._heads.values(), default=0)

    def streams(self) -> list[str]:
        """See `Bodies.streams`."""
        return sorted({body.stream for body in self._bodies.values()})

    def waiting(self, target_id: str, stream: str, *, above: int = 0) -> int:
        """See `Bodies.waiting`."""
        return sum(
            self._standing(target_id, body).state is UploadState.QUEUED
            for body in self._bodies.values()
            if body.stream == stream and body.number > above
        )

    def page(
        self, target_id: str = "", stream: str = "", *, after: int = 0, limit: int = 1000
    ) -> list[Listed]:
        """See `Bodies.page`."""
        found = [
            body
            for number, body in self._bodies.items()
            if number > after and stream in ("", body.stream)
        ]
        return [Listed(body, self._standing(target_id, body)) for body in found[:limit]]

    def _standing(self, target_id: str, body: Body) -> Standing:
        known = self._standings.get((target_id, body.number))
        if known is not None:
            return known
        upload = self._uploads[body.key]
        return first_standing(upload.retry_count, upload.next_attempt_at, upload.last_error)

    def owe(self, target_id: str, stream: str) -> None:
        """See `Bodies.owe`."""
        self.targets.get(target_id)
        for body in self._bodies.values():
            if body.stream == stream:
                place = (target_id, body.number)
                self._standings.setdefault(place, self._standing(target_id, body))

    def next_due(self, grant: Grant, *, now: int, after: tuple[int, int] = (-1, 0)) -> Owed | None:
        """See `Bodies.next_due`."""
        due = [
            ((standing.due_at, number), standing)
            for number, standing in self._queued(grant)
            if not now < standing.due_at <= now + LONGEST_WAIT and (standing.due_at, number) > after
        ]
        if not due:
            return None
        (_, number), standing = min(due, key=lambda item: item[0])
        return Owed(number, self._uploads[self._bodies[number].key], standing)

    def _queued(self, grant: Grant) -> list[tuple[int, Standing]]:
        return [
            (number, standing)
            for (target_id, number), standing in self._standings.items()
            if target_id == grant.target_id
            and standing.state is UploadState.QUEUED
            and covers(grant, self._bodies[number])
        ]

    def remaining(self, grant: Grant) -> int:
        """See `Bodies.remaining`."""
        return len(self._queued(grant))

    def pending(self, grant: Grant) -> int:
        """See `Bodies.pending`."""
        return sum(standing.wait > 0 for _, standing in self._queued(grant))

    def note(self, target_id: str, number: int, standing: Standing) -> None:
        """See `Bodies.note`."""
        self.targets.get(target_id)
        if (target_id, number) in self._standings:
            self._standings[target_id, number] = standing

    def reopen(self, target_id: str, number: int, act: Act, *, actor: str, at: int) -> bool:
        """See `Bodies.reopen`."""
        self.targets.get(target_id)
        before = self._standings.get((target_id, number))
        after = None if before is None else reopened(before, act, at=at)
        if before is None or after is None:
            return False
        self._standings[target_id, number] = after
        done = Reopening(
            act=act,
            at=at,
            actor=actor,
            state=before.state,
            last_error=before.last_error,
            settled_at=before.settled_at,
        )
        self._reopenings.setdefault((target_id, number), []).append(done)
        return True

    def reopenings(self, target_id: str, number: int, *, limit: int = 1000) -> list[Reopening]:
        """See `Bodies.reopenings`."""
        return self._reopenings.get((target_id, number), [])[::-1][:limit]

    def log(self, failure: UploadFailure) -> None:
        """See `Bodies.log`."""
        place = (failure.key, failure.reason)
        self._failures[place] = merge_failures(self._failures.get(place), failure)

    def failures(self, *, after: int = 0, limit: int = 1000) -> list[UploadFailure]:
        """See `Bodies.failures`."""
        return list(self._failures.values())[after : after + limit]

    def of(self, stream: str) -> tuple[list[int], list[tuple[BodyKey, str]]]:
        """Return the numbers of the stream's bodies, and the refusals that name its project."""
        numbers = [number for number, body in self._bodies.items() if body.stream == stream]
        failures = [place for place in self._failures if place[0].project_uuid.lower() == stream]
        return numbers, failures

    def unclaimed(self, stream: str) -> set[str]:
        """Return the names of the stream's bodies that do not name its project."""
        keys = [body.key for body in self._bodies.values() if body.stream == stream]
        return {key.name for key in keys if key.project_uuid != stream}

    def forget(self, stream: str) -> None:
        """Forget what `of` returns, and where these bodies stand."""
        numbers, failures = self.of(stream)
        for number in numbers:
            key = self._bodies.pop(number).key
            del self._uploads[key], self._numbers[key]
        for place in [place for place in self._standings if place[1] in numbers]:
            del self._standings[place]
        for place in [place for place in self._reopenings if place[1] in numbers]:
            del self._reopenings[place]
        for failure in failures:
            del self._failures[failure]

    def counts(self, target_id: str = "") -> BodyCounts:
        """See `Bodies.counts`."""
        states: dict[int, set[UploadState]] = {number: set() for number in self._bodies}
        for (target, number), standing in self._standings.items():
            if target_id in ("", target):
                states[number].add(standing.state)
        there = [any(state.is_there for state in found) for found in states.values()]
        failed = [UploadState.FAILED in found for found in states.values()] if target_id else []
        return BodyCounts(
            bodies=len(self._bodies),
            uploaded=sum(there),
            failed=sum(failed),
            failure_log=len(self._failures),
        )
