"""One healthy token with the owners and modes that kubelets set, and containers of several users. busybox opens the same file
as a check."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from containers import podman
from containers.stage import Open, Stage, judge

DROPPED = podman.RESTRICTED
# The rights of a container that states none.
DEFAULT = [option for option in podman.RESTRICTED if option != "--cap-drop=ALL"]
UNREADABLE = (21, "token-file-unreadable")
READY = (0, "ready")


@dataclass
class Case:
    owner: tuple[int, int]
    mode: int
    user: str
    expected: tuple[int, str]
    groups: list[int] = field(default_factory=list)
    rights: list[str] = field(default_factory=lambda: DROPPED)

    def name(self) -> str:
        groups = f" in {self.groups}" if self.groups else ""
        rights = ", default capabilities" if self.rights is DEFAULT else ""
        return f"{self.mode:04o} {self.owner[0]}:{self.owner[1]}, user {self.user}{groups}{rights}"


CASES = (
    # No user is stated, or several users are.
    Case((0, 0), 0o644, "65532:65532", READY),
    # All containers state the same user.
    Case((65532, 0), 0o600, "65532:0", READY),
    Case((1000, 0), 0o600, "1000:1000", READY),
    Case((1000, 0), 0o600, "65532:65532", UNREADABLE),
    # With fsGroup, which every container gets as a supplementary group.
    Case((0, 1234), 0o640, "65532:0", READY, groups=[1234]),
    Case((1000, 1234), 0o640, "65532:0", READY, groups=[1234]),
    Case((0, 1234), 0o640, "65532:0", UNREADABLE),
    # defaultMode 0400, and 0440, which gid 0 may read. A user has gid 0 if nobody states its group.
    Case((0, 0), 0o400, "65532:65532", UNREADABLE),
    Case((0, 0), 0o440, "1000:0", READY),
    Case((0, 0), 0o440, "1000:1000", UNREADABLE),
    # Root without capabilities is a user like any other.
    Case((1000, 1000), 0o600, "0:0", UNREADABLE),
    Case((1000, 1000), 0o600, "0:0", READY, rights=DEFAULT),
    # For the owner only the owner's bits count, whatever the group may do.
    Case((65532, 65532), 0o040, "65532:65532", UNREADABLE),
)


@pytest.fixture(scope="module")
def opened(stage: Stage) -> Iterator[Open]:
    with stage.box("healthy") as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=Case.name)
def test_who_can_read_the_token(case: Case, stage: Stage, opened: Open) -> None:
    ((volume, at),) = opened.box.volumes()
    own = volume.with_name(f"case-{CASES.index(case)}")
    shutil.copytree(volume, own, symlinks=True)
    token = own / os.readlink(own / "..data") / "token"
    os.chown(token, *case.owner)
    token.chmod(case.mode)
    options = [f"--user={case.user}", *(f"--group-add={group}" for group in case.groups)]
    settings = {"volumes": [(own, at)], "rights": case.rights}
    judge(stage.run(opened, ["check", "--output=json"], *options, **settings), *case.expected)
    # The kernel's own answer. This does not go through the stage, because it does print the token.
    mount = f"--volume={own}:{at}:ro"
    cat = ["/busybox", "cat", f"{at}/token"]
    opens = stage.engine.run("run", "--rm", *case.rights, "--network=none", mount, *options, podman.WITNESS, *cat).code == 0
    assert opens == (case.expected is READY), f"busybox {'can' if opens else 'cannot'} open the file"
