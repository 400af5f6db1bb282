"""Dumps of MySQL and MariaDB: by mysqldump, mariadb-dump, phpMyAdmin, HeidiSQL, Adminer, and scripts."""

from __future__ import annotations

import re

from scanner.readers.sqldump.dialect import Dialect

DIALECT = Dialect(
    format="mysqldump",
    backslash=True,
    double_quoted=True,
    double_quoted_always=True,
    hash_comments=True,
    conditional_comments=True,
    delimiters=True,
    client_lines=True,
    indexes_in_tables=True,
    boilerplate=re.compile(
        r"""(?:MySQL|MariaDB)\ dump\b.* | Server\ version.* | Host:\ (?:localhost|127\.0\.0\.1)?\s*Database:.*
        | (?:Table|Temporary\ (?:view|table)|Final\ view)\ structure\ for\ (?:table|view)\ .*
        | Dump(?:ing)?\ (?:data|events|routines|completed)\b.* | (?:Current\ )?Database:\ .*
        | GTID\ state\b.* | phpMyAdmin\ SQL\ Dump | version\ [\d.]+(?:deb\S*)? | https?://www\.phpmyadmin\.net/
        | (?:Generation\ Time|PHP\ Version):.*
        | (?:Indexes|AUTO_INCREMENT|Constraints)\ for\ (?:dumped\ tables|table).* """,
        re.VERBOSE | re.IGNORECASE,
    ),
)

_TOOL = re.compile(
    rb"^(?:--|#) *(?:(?:MySQL|MariaDB) dump|phpMyAdmin (?:SQL|MySQL)|HeidiSQL|Adminer [\d.]+ MySQL)",
    re.MULTILINE,
)
_CODE = re.compile(
    rb"/\*M?!\d{5}|^\) *ENGINE *=|^LOCK TABLES `|^DELIMITER |INSERT (?:IGNORE )?INTO `"
    rb"|CREATE TABLE (?:IF NOT EXISTS )?`"
    rb"|\bAUTO_INCREMENT\b|^SET (?:@OLD_|AUTOCOMMIT|FOREIGN_KEY_CHECKS|NAMES )",
    re.MULTILINE | re.IGNORECASE,
)


def score(head: bytes) -> int:
    """How sure these bytes are a MySQL or MariaDB dump, 0 to 100."""
    if _TOOL.search(head):
        return 96
    return 88 if _CODE.search(head) else 0
