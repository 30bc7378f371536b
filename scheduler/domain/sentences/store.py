"""Why a database cannot be used."""

from __future__ import annotations

__all__ = ["STORE_SENTENCES"]

STORE_SENTENCES: dict[str, str] = {
    "store_empty": "The database is empty. Run 'mpa-monitor init' first.",
    "store_earlier": "The database has schema {found_id}, this program needs {needed_id}. "
    "Run 'mpa-monitor init' to bring it up.",
    "store_later": "The database has schema {found_id}, which a later version of this program made. "
    "Install that version again, or restore the backup that was made before it.",
    "store_daemon_works": "A daemon still works on the database with schema {found_id}. "
    "Stop it, on every machine, then run 'mpa-monitor init' again.",
    "store_another_daemon": "Another daemon (process {process_id}) already works on {path_id}. Stop it first; "
    "several daemons can share a PostgreSQL database, not a SQLite file.",
    "store_no_folder": "There is no database {url_id}: its folder is missing. Run 'mpa-monitor init' first.",
    "store_no_answer": "The database {url_id} does not answer: {error_id}",
    "store_closed": "The database is closed.",
    "store_unknown_kind": "'{kind_id}' is not a database that can be used; use sqlite or postgresql.",
    "store_disk_failed_before": "The disk of {path_id} failed before.",
    "store_disk_refused": "The disk of {path_id} refused a write.",
    "store_lease_lost": "another daemon has taken over '{matter_id}'",
    "store_failed": "The database failed: {error_id}",
}
