"""Decide which application of one person stands, among those that share keyed hashes. Pure.

Matches are exact, on normalised values. The first application stands. A later one whose fields are all equal, except
the classes, is superseded; any other that looks like the same person waits for a person to decide.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.vault.applications.matching import COPY, matching_keys
from services.vault.applications.rules.states import DUPLICATE, ApplicationState
from services.vault.applications.stored import Match, StoredApplication, VersionTime
from shared.ids import ApplicationId


class DuplicateOrder:
    """Applications that one transaction touches, in order of arrival, and the owners of their matching keys.

    The owner of a key is the first application with it. An application that matches another one follows it: if that
    one goes (withdrawn, corrected, rejected), its followers are judged again, so that a copy then stands.
    """

    def __init__(self, applications: Iterable[StoredApplication], owners: Mapping[str, ApplicationId]) -> None:
        self._applications = {application.application_id: application for application in applications}
        self._stored = frozenset(self._applications)
        self._loaded, self._owners = dict(owners), dict(owners)
        self._kinds: dict[str, str] = {}
        self._originals: dict[str, ApplicationId] = {}
        self._relied: set[str] = set()
        self._changed: dict[ApplicationId, None] = {}
        for application in sorted(self._applications.values(), key=_order):
            self._add_original(application)

    def find(self, application_id: ApplicationId) -> StoredApplication | None:
        """Return an application of this transaction as it is now."""
        return self._applications.get(application_id)

    @property
    def inserted(self) -> list[StoredApplication]:
        """Applications that the store does not have yet."""
        return [self._applications[one] for one in self._changed if one not in self._stored]

    @property
    def replaced(self) -> list[StoredApplication]:
        """Applications of the store that changed."""
        return [self._applications[one] for one in self._changed if one in self._stored]

    @property
    def changed(self) -> list[StoredApplication]:
        return [self._applications[one] for one in self._changed]

    @property
    def removed_hashes(self) -> set[str]:
        """Hashes whose stored owner no longer has them, or no longer as the first."""
        return {value for value, owner in self._loaded.items() if self._owners.get(value) != owner}

    @property
    def new_owners(self) -> dict[str, tuple[str, ApplicationId]]:
        """Hash → kind and application, for those to store."""
        return {
            value: (self._kinds[value], owner)
            for value, owner in self._owners.items()
            if self._loaded.get(value) != owner
        }

    @property
    def relied_hashes(self) -> set[str]:
        """Stored hashes by which a verdict found another application."""
        return self._relied - self.removed_hashes

    def repeat(self, application_id: ApplicationId, version: int, received_at: datetime) -> None:
        """Answer a version that is not the applicant's: the content before it stands, under the new number."""
        earlier = self._applications[application_id]
        versions = (*earlier.versions, VersionTime(version, received_at, stands=False))
        self._store(replace(earlier, version=version, versions=versions))

    def place(self, judged: StoredApplication) -> None:
        """Store the content of a version: judged by the rules alone, its state is accepted, rejected or withdrawn."""
        earlier = self._applications.get(judged.application_id)
        if earlier is None:
            self._settle(judged)
        elif judged.is_applying and matching_keys(earlier) == matching_keys(judged) and _keeps_place(earlier, judged):
            self._place_again(earlier, judged)
        else:
            self._release(earlier)
            self._applications[judged.application_id] = judged
            self._judge_followers(judged.application_id)
            self._settle(judged)

    def accept(self, application_id: ApplicationId, decided_by: str) -> StoredApplication:
        """Accept a held application; a doubt about it is decided for its copies as well."""
        held = self._applications[application_id]
        accepted = replace(held, state=ApplicationState.ACCEPTED, reasons=(), decided_by=decided_by)
        for copy in self._copies(application_id):
            if copy.doubts:
                self._store(replace(copy, doubts=()))
        return self._store(accepted)

    def reject(self, application_id: ApplicationId, reason: str, decided_by: str) -> StoredApplication:
        """Reject a held application: because of the match, which keeps its place, or for its own content.

        A reason against its own content holds for its copies too, which differ from it in nothing but the classes.
        """
        held = self._applications[application_id]
        rejected = replace(held, state=ApplicationState.REJECTED, reasons=(reason,), decided_by=decided_by)
        if reason == DUPLICATE or (held.match is not None and not held.doubts):
            return self._store(rejected)
        copies = self._copies(application_id)
        self._release(held)
        rejected = self._store(replace(rejected, match=None))
        for copy in copies:
            self._store(replace(copy, state=ApplicationState.REJECTED, reasons=(reason,), match=None))
        self._judge_followers(application_id)
        return rejected

    def _place_again(self, earlier: StoredApplication, judged: StoredApplication) -> None:
        """Store a version that changes no matching key: it keeps its place, and a handler's decision about it."""
        judged = replace(judged, arrived_at=earlier.arrived_at)
        if earlier.keys[COPY] == judged.keys[COPY]:
            self._store(_decided_as(earlier, judged))
            return
        if self._originals.get(earlier.keys[COPY]) == earlier.application_id:
            del self._originals[earlier.keys[COPY]]
        match = self._match(judged)
        is_decided = earlier.state is ApplicationState.ACCEPTED and earlier.doubts == judged.doubts
        if is_decided and (match is None or match.kind != COPY):
            self._store(_decided_as(earlier, judged))
        else:
            self._settle(judged)
        for copy in self._copies(earlier.application_id):
            self._settle(copy)

    def _judge_followers(self, application_id: ApplicationId) -> None:
        for follower in self._followers(application_id):
            if follower.state is ApplicationState.ACCEPTED:
                is_gone = follower.match is not None and follower.match.application_id == application_id
                self._store(replace(follower, match=None if is_gone else follower.match))
            elif follower.is_applying:
                self._settle(replace(follower, reasons=(), decided_by=None))

    def _followers(self, application_id: ApplicationId) -> list[StoredApplication]:
        return sorted((one for one in self._applications.values() if application_id in one.follows), key=_order)

    def _copies(self, application_id: ApplicationId) -> list[StoredApplication]:
        copies = (one for one in self._followers(application_id) if one.state is ApplicationState.SUPERSEDED)
        return [one for one in copies if self._follows(one.application_id, application_id)]

    def _settle(self, application: StoredApplication) -> None:
        """Store an application with the state that its own content and the earlier applications give it."""
        if not application.is_applying:
            self._store(application)
            return
        match = self._match(application)
        if match is not None and match.kind == COPY:
            state = ApplicationState.SUPERSEDED
        elif match is not None or application.doubts:
            state = ApplicationState.HELD
        else:
            state = ApplicationState.ACCEPTED
        self._store(replace(application, state=state, match=match))

    def _match(self, application: StoredApplication) -> Match | None:
        keys = matching_keys(application)
        others = {kind: owner for kind, value in keys.items() if (owner := self._owners.get(value)) is not None}
        own = application.application_id
        matches = [Match(owner, kind) for kind, owner in others.items() if owner != own]
        original = self._originals.get(application.keys[COPY], own)
        if original != own and not self._follows(original, own):
            matches.insert(0, Match(original, COPY))
        if matches:
            self._relied |= {value for value in keys.values() if value in self._loaded}
        return matches[0] if matches else None

    def _follows(self, application_id: ApplicationId, other: ApplicationId) -> bool:
        match = self._applications[application_id].match
        return match is not None and match.application_id == other

    def _store(self, application: StoredApplication) -> StoredApplication:
        """Keep the application as changed, with the next revision, and register its keys."""
        own = application.application_id
        if own in self._stored and own not in self._changed:
            application = replace(application, revision=self._applications[own].revision + 1)
            # A rival transaction that relies on this application must conflict with the change.
            self._relied |= {value for value in matching_keys(application).values() if value in self._loaded}
        if application.is_applying and application.state is not ApplicationState.SUPERSEDED:
            self._add_original(application)
            for kind, value in matching_keys(application).items():
                self._owners.setdefault(value, own)
                self._kinds[value] = kind
        application = replace(application, follows=self._leaders(application))
        self._applications[own] = application
        self._changed[own] = None
        return application

    def _leaders(self, application: StoredApplication) -> tuple[ApplicationId, ...]:
        """Return the applications with whose going this one must be judged again."""
        if not application.is_applying:
            return ()
        owners = {self._owners.get(value) for value in matching_keys(application).values()}
        matched = None if application.match is None else application.match.application_id
        return tuple(sorted(one for one in {*owners, matched} if one not in {None, application.application_id}))

    def _add_original(self, application: StoredApplication) -> None:
        if application.is_applying and application.state is not ApplicationState.SUPERSEDED:
            self._originals.setdefault(application.keys[COPY], application.application_id)

    def _release(self, application: StoredApplication) -> None:
        """Let go of the keys that an application owns."""
        own = application.application_id
        for value in matching_keys(application).values():
            if self._owners.get(value) == own:
                del self._owners[value]
        if self._originals.get(application.keys.get(COPY, "")) == own:
            del self._originals[application.keys[COPY]]


def _order(application: StoredApplication) -> tuple[datetime, ApplicationId]:
    return application.arrived_at, application.application_id


def _keeps_place(earlier: StoredApplication, judged: StoredApplication) -> bool:
    """Return True unless the earlier version was not applying; a handler's rejection of the same content stays."""
    return earlier.is_applying or (earlier.decided_by is not None and earlier.keys == judged.keys)


def _decided_as(earlier: StoredApplication, judged: StoredApplication) -> StoredApplication:
    """Return the new content under the verdict on the person that the earlier one got."""
    return replace(
        judged,
        state=earlier.state,
        reasons=earlier.reasons,
        doubts=earlier.doubts,
        match=earlier.match,
        decided_by=earlier.decided_by,
    )
