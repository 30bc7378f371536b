"""Whatever may be dropped into a folder by mistake: files of other systems, other studies and other worlds.

Each has the one code that it must get. All are made here, small, and hold nobody's data.
"""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from fhir_cases import fhir_bytes
from intake_cases import THREE, csv_bytes, csv_text
from message_cases import DOTTED, hl7_bytes, hprim_bytes
from openpyxl import Workbook
from workbook_cases import archive, far_apart, one_huge_cell, saved, workbook_bytes

MAGIC_OF_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def old_office(stream: str) -> bytes:
    """The head of a compound file and the name of one of its streams, at the place of a directory."""
    return MAGIC_OF_OLD_OFFICE + bytes(504) + stream.encode("utf-16-le").ljust(64, b"\0") + bytes(448)


def png() -> bytes:
    """One grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\x80"))
        + chunk(b"IEND", b"")
    )


def jpeg() -> bytes:
    exif = b"\xff\xe1\x00\x10Exif\0\0MM\0*\0\0\0\x08"
    return (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + exif + bytes(range(256)) + b"\xff\xd9"
    )


def pdf() -> bytes:
    text = "Compte rendu de pharmacologie MPA-0042-7 H0 1,85 mg/L"
    return (
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\n"
        + text.encode("cp1252")
        + b"\n%%EOF\n"
    )


def hprim_medecin() -> str:
    header = ["20260115001", "X", "Y", "1 RUE Z", "", "75000 PARIS", "01011990", "", "260115", "15/01/2026"]
    lines = [*header, "CCH-PHARMACO", "DR W", "****LAB****"]
    lines += [
        "RES|Acide mycophénolique|MPA|A|1,85|mg/l|||N|F|1,85|µg/ml||",
        "TEX|< 0.12  mg/l",
        "****FIN****",
    ]
    return "\r\n".join(lines) + "\r\n"


def book_of_anything() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Commande", "Quantité", "Prix"])
    sheet.append(["gants", 100, 12.5])
    return saved(book)


def other_oru() -> bytes:
    return hl7_bytes().replace(b"MPA-AUC", b"IPP-HOSP").replace(b"MPA-0042-7", b"800012345")


def order_message() -> bytes:
    return hl7_bytes().replace(b"ORU^R01^ORU_R01", b"ORM^O01^ORM_O01")


def document_message() -> bytes:
    return hl7_bytes().replace(b"ORU^R01^ORU_R01", b"MDM^T02^MDM_T02")


ADT = b"MSH|^~\\&|ADM|HOSP|GLIMS|LAB|20260115080000||ADT^A01|1|P|2.5\rEVN|A01|20260115\rPID|1||800012345^^^HOSP\r"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
CDA = XML + b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>CR-BIO</title></ClinicalDocument>\n'
HL7_XML = XML + b'<ORU_R01 xmlns="urn:hl7-org:v2xml"><MSH><MSH.1>|</MSH.1></MSH></ORU_R01>\n'
FHIR_XML = XML + b'<Observation xmlns="http://hl7.org/fhir"><status value="final"/></Observation>\n'
HTML = b"<html><body><table><tr><td>etude</td><td>MPA-AUC</td></tr></table></body></html>"
LOG = b"2026-01-15 08:31:02,114 INFO  [main] started\n2026-01-15 08:31:03,001 WARN  [pool] slow: 3 s\n"
OTHER_STUDY = b"etude;patient;dosage\r\nTACRO-1;T-12;8,4\r\n"
OTHER_PATIENT = json.dumps(
    {"resourceType": "Patient", "id": "1", "identifier": [{"system": "urn:oid:1.2", "value": "800012345"}]}
).encode()


def with_notes(results: int, notes: int, text: str) -> bytes:
    """A message with notes about its patient, which belong to each of its results."""
    lines = hl7_bytes([DOTTED[0]]).split(b"\r")
    patient = next(no for no, line in enumerate(lines) if line.startswith(b"PID"))
    (obx,) = (line + b"\r" for line in lines if line.startswith(b"OBX"))
    told = f"NTE|1||{text}\r".encode() * notes
    return b"\r".join([*lines[: patient + 1], told + b"\r".join(lines[patient + 1 :])]) + obx * (results - 1)


def with_components() -> bytes:
    """An observation with many notes, which belong to each of its many components."""
    file = json.loads(fhir_bytes(form="transaction"))
    one = next(e["resource"] for e in file["entry"] if e["resource"]["resourceType"] == "Observation")
    one |= {"note": [{"text": "V2 H0"}] * 20_000, "component": [{"code": one["code"]}] * 4_000}
    return json.dumps(file).encode()


@cache
def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


ELSEWHERE: dict[str, tuple[Callable[[], bytes], str]] = {
    # messages of other hospitals and of other kinds
    "oru of another hospital": (other_oru, "F-17"),
    "adt": (lambda: ADT, "F-16"),
    "orm": (order_message, "F-16"),
    "mdm": (document_message, "F-16"),
    "hl7 2.9": (lambda: hl7_bytes(version="2.9"), "F-07"),
    "msh alone": (lambda: b"MSH", "F-06"),
    "msh and one sign": (lambda: b"MSH|", "F-11"),
    "hprim orm": (lambda: hprim_bytes(kind="ORM"), "F-16"),
    "hprim 3": (lambda: hprim_bytes(version="H3.0~C"), "F-07"),
    "fhir patient": (lambda: OTHER_PATIENT, "F-16"),
    "fhir of another hospital": (
        lambda: fhir_bytes().replace(b"urn:mpa-auc:subject", b"urn:oid:1.2").replace(b"MPA-0042-7", b"80001"),
        "F-17",
    ),
    "json of anything": (lambda: b'{"version": 3, "items": [1, 2, 3]}', "F-07"),
    "json list": (lambda: b"[1, 2, 3]", "F-07"),
    # what a laboratory may send instead
    "pdf": (pdf, "F-07"),
    "cda": (lambda: CDA, "F-07"),
    "hl7 v2 xml": (lambda: HL7_XML, "F-07"),
    "fhir xml": (lambda: FHIR_XML, "F-07"),
    "fhir xml utf-16": (lambda: FHIR_XML.decode().encode("utf-16"), "F-07"),
    "fhir xml with a mark": (lambda: b"\xef\xbb\xbf" + FHIR_XML, "F-07"),
    "hprim médecin latin-1": (lambda: hprim_medecin().encode("latin-1"), "F-07"),
    "hprim médecin macroman": (lambda: hprim_medecin().encode("mac-roman"), "F-07"),
    "hprim médecin utf-16 without a mark": (lambda: hprim_medecin().encode("utf-16-le"), "F-07"),
    "hprim médecin utf-16 with a mark": (lambda: hprim_medecin().encode("utf-16"), "F-07"),
    # pictures and archives
    "png": (png, "F-07"),
    "jpeg": (jpeg, "F-07"),
    "gif": (lambda: b"GIF89a\x01\0\x01\0\0\0\0;", "F-07"),
    "tiff": (lambda: b"II*\0\x08\0\0\0\0\0", "F-07"),
    "webp": (lambda: b"RIFF\x1a\0\0\0WEBPVP8 \0\0\0\0", "F-07"),
    "heic": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "F-07"),
    "bmp": (lambda: b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "F-07"),
    "zip": (lambda: archive({"resultats.csv": csv_bytes()}), "F-07"),
    "gzip": (lambda: gzip.compress(csv_bytes()), "F-07"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c\0\x04" + noise(64), "F-07"),
    "rar": (lambda: b"Rar!\x1a\x07\x01\0" + noise(64), "F-07"),
    # office files
    "xls": (lambda: old_office("Workbook"), "F-07"),
    "doc": (lambda: old_office("WordDocument"), "F-07"),
    "xlsx with a password": (lambda: old_office("EncryptedPackage"), "F-07"),
    "html called xls": (lambda: HTML, "F-07"),
    "rtf": (lambda: b"{\\rtf1\\ansi MPA}", "F-07"),
    "docx": (lambda: archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "F-07"),
    "ods": (lambda: archive({"mimetype": b"application/vnd.oasis", "content.xml": b"<x/>"}), "F-07"),
    "empty workbook": (lambda: saved(Workbook()), "F-03"),
    "workbook of anything": (book_of_anything, "F-06"),
    "workbook of another study": (
        lambda: workbook_bytes([{**row, "study_id": "TACRO-1"} for row in THREE]),
        "F-17",
    ),
    "workbook with corners far apart": (lambda: far_apart(workbook_bytes(THREE)), "F-04"),
    "workbook of 300 MB": (lambda: one_huge_cell(workbook_bytes(THREE)), "F-13"),
    # texts
    "csv of another study": (lambda: csv_bytes([{**row, "study_id": "TACRO-1"} for row in THREE]), "F-17"),
    "csv of another layout": (lambda: OTHER_STUDY, "F-09"),
    "csv below a title": (lambda: "Résultats de février\r\n\r\n".encode() + csv_bytes(), "F-06"),
    "log": (lambda: LOG, "F-06"),
    "text": (lambda: "Bonjour, voici les résultats.\r\n".encode("cp1252"), "F-06"),
    "text with NUL": (lambda: b"etude;code\0patient\r\n", "F-08"),
    "csv in utf-16 without a mark": (lambda: csv_text().encode("utf-16-le"), "F-08"),
    "csv in utf-16 big-endian without a mark": (lambda: csv_text().encode("utf-16-be"), "F-08"),
    "csv in utf-32": (lambda: csv_text().encode("utf-32"), "F-08"),
    "json of results": (lambda: json.dumps(list(DOTTED)).encode(), "F-07"),
    "mail": (lambda: b"From: labo@example.org\r\nSubject: resultats\r\n\r\nH0 1,85\r\n", "F-06"),
    "nothing": (lambda: b"", "F-03"),
    "one byte": (lambda: b"x", "F-06"),
    "one zero": (lambda: b"\0", "F-08"),
    "blanks": (lambda: b" \r\n\r\n \t \r\n", "F-06"),
    "only a mark": (lambda: b"\xef\xbb\xbf", "F-06"),
    "header alone": (lambda: csv_bytes([THREE[0]]).splitlines(True)[0], "F-03"),
    "noise": (lambda: noise(4_900_000), "F-08"),
    "too large": (lambda: noise(5_000_001), "F-04"),
    "five million commas": (lambda: b"," * 4_900_000, "F-06"),
    "five million quotes": (lambda: b'"' * 4_900_000, "F-06"),
    "five million lines": (lambda: b"\n" * 4_900_000 + b"x", "F-06"),
    "a hundred thousand columns": (
        lambda: csv_bytes().splitlines(True)[0][:-2] + b";x" * 100_000 + b"\r\n" + b"a" + b";" * 100_014,
        "F-11",
    ),
    "five thousand brackets": (lambda: b"[" * 5_000, "F-13"),
    "a million brackets": (lambda: b"[" * 1_000_000, "F-13"),
    "a line of a million segments": (lambda: b"MSH|^~\\&|\r" + b"OBX|1\r" * 600_000, "F-04"),
    "a million rows": (lambda: csv_bytes().splitlines(True)[0] + b"a\n" * 2_300_000, "F-04"),
    "a million empty rows": (lambda: csv_bytes().splitlines(True)[0] + b";\n" * 2_300_000, "F-04"),
    "a million continued lines": (lambda: hprim_bytes()[:-4] + b"A|1\r" * 1_200_000 + b"L|1\r", "F-04"),
    "a note repeated a million times": (lambda: hl7_bytes() + b"NTE|1||" + b"a~" * 2_400_000 + b"\r", "F-04"),
    "many notes about a patient with many results": (lambda: with_notes(3_000, 60_000, "x"), "F-04"),
    "two long notes about a patient with many results": (
        lambda: with_notes(3_000, 2, "x" * 2_000_000),
        "F-04",
    ),
    "many notes about an observation with many components": (with_components, "F-04"),
    "many names, the last one twice": (
        lambda: b"{" + b",".join(b'"%x":0' % no for no in range(80_000)) + b',"13000":0}',
        "F-15",
    ),
    "five million carets": (lambda: b"MSH|^~\\&|" + b"^" * 4_900_000 + b"\r", "F-16"),
}
