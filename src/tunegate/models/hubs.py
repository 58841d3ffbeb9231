"""What a hub says of a model: its files with sizes, hashes and addresses. The files themselves `bringing` brings.

Hugging Face's own or a mirror of it (`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`), and ModelScope (`MODELSCOPE_DOMAIN`,
`MODELSCOPE_API_TOKEN`), whose addresses are those of its own library.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from tunegate.downloads import TIMEOUT_SECONDS
from tunegate.errors import OutsideError, UserError

HubName = Literal["huggingface", "modelscope"]

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]*")
_FILE = re.compile(r"[A-Za-z0-9][\w.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class RemoteFile:
    """`sha256` and `size` where the hub says them."""

    name: str
    url: str
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Listing:
    """Files of the model's top folder. `commit` where the hub names one; `headers` carry the token, if any."""

    commit: str | None
    files: tuple[RemoteFile, ...]
    headers: Mapping[str, str] = field(default_factory=dict)


def parse(name: str, main: str) -> tuple[str, str]:
    """`OWNER/NAME[@REVISION]` to repository and revision, `main` where none is given. Raises UserError."""
    repository, at, revision = name.partition("@")
    if not _REPOSITORY.fullmatch(repository) or (at and not _REVISION.fullmatch(revision)):
        raise UserError(f"{name!r} is no name on the hub.", "Write OWNER/NAME or OWNER/NAME@REVISION.")
    return repository, revision or main


def hugging_face(repository: str, revision: str) -> Listing:
    """Raises UserError, OutsideError."""
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HFValidationError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    api = HfApi(endpoint=(os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None)
    try:
        info = api.model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)
        commit = str(info.sha)
        files = [_of_hugging_face(api.endpoint, repository, commit, file) for file in info.siblings or ()]
    except GatedRepoError as error:
        raise UserError(
            f"The hub gives {repository} only to those who agreed to its terms.",
            "Agree on the model's page of the hub, and set HF_TOKEN to your token.",
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(f"{repository} has no revision {revision!r} on the hub.", "Check it on its page.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"The hub knows no public model {repository}.", "Check the name, or set HF_TOKEN for a private one."
        ) from error
    except (HTTPError, OfflineModeIsEnabled, OSError) as error:
        raise OutsideError(
            f"{repository}@{revision} could not be brought from the hub: {_first_line(error)}.",
            "Check the network, HF_ENDPOINT and HF_HUB_OFFLINE, or download the folder elsewhere and give its path.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise OutsideError(f"{api.endpoint} does not answer as a hub does.", "Check HF_ENDPOINT.") from error
    token = get_token()
    return Listing(commit, _top(files), {"Authorization": f"Bearer {token}"} if token else {})


def model_scope(repository: str, revision: str) -> Listing:
    """Raises UserError, OutsideError."""
    import requests

    endpoint, token = modelscope_endpoint(), os.environ.get("MODELSCOPE_API_TOKEN")
    headers = {"Cookie": f"m_session_id={token}"} if token else {}
    root = f"{endpoint}/api/v1/models/{quote(repository)}/repo"
    query = urlencode({"Revision": revision, "Recursive": "true"})
    try:
        answer = requests.get(f"{root}/files?{query}", headers=headers, timeout=TIMEOUT_SECONDS)
        if answer.status_code in (401, 403, 404):
            raise UserError(
                f"ModelScope knows no public model {repository} with a revision {revision!r}.",
                "Check both on its page, or set MODELSCOPE_API_TOKEN for a private one.",
            )
        answer.raise_for_status()
        files = [_of_modelscope(root, revision, file) for file in answer.json()["Data"]["Files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise OutsideError(f"{endpoint} does not answer as ModelScope does.", "Check MODELSCOPE_DOMAIN.") from error
    except requests.RequestException as error:
        raise OutsideError(
            f"{repository}@{revision} could not be brought from ModelScope: {_first_line(error)}.",
            "Check the network and MODELSCOPE_DOMAIN, or download the folder elsewhere and give its path.",
        ) from error
    return Listing(None, _top(files), headers)


HUBS: dict[HubName, tuple[str, Callable[[str, str], Listing]]] = {
    "huggingface": ("main", hugging_face),
    "modelscope": ("master", model_scope),
}
"""A hub's name to its usual revision, and what it says of a model."""


def modelscope_endpoint() -> str:
    """`MODELSCOPE_DOMAIN` is a host, as its own library has it; a whole address is taken too."""
    domain = (os.environ.get("MODELSCOPE_DOMAIN") or "www.modelscope.cn").rstrip("/")
    return domain if "://" in domain else f"https://{domain}"


def _of_hugging_face(endpoint: str, repository: str, commit: str, file: Any) -> RemoteFile:
    address = f"{endpoint}/{repository}/resolve/{commit}/{quote(file.rfilename)}"
    return RemoteFile(file.rfilename, address, _sha256(file.lfs.sha256 if file.lfs else None), file.size)


def _of_modelscope(root: str, revision: str, file: Mapping[str, Any]) -> RemoteFile:
    address = f"{root}?{urlencode({'Revision': revision, 'FilePath': file['Path']})}"
    size = file.get("Size")
    return RemoteFile(file["Path"], address, _sha256(file.get("Sha256")), size if isinstance(size, int) else None)


def _sha256(value: object) -> str | None:
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else None


def _top(files: list[RemoteFile]) -> tuple[RemoteFile, ...]:
    """Without what lies in folders, and without names that are none: they become files here."""
    return tuple(file for file in files if _FILE.fullmatch(file.name))


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
