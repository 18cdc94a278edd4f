"""Media types in the words of people."""

from __future__ import annotations

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

WORDS = {
    "application/epub+zip": "E-book",
    "application/geo+json": "Map data",
    "application/gzip": "Compressed file",
    "application/json": "JSON data",
    "application/msword": "Word document",
    f"{_OFFICE}wordprocessingml.document": "Word document",
    f"{_OFFICE}spreadsheetml.sheet": "Excel spreadsheet",
    f"{_OFFICE}presentationml.presentation": "PowerPoint presentation",
    f"{_OPEN}text": "OpenDocument text",
    f"{_OPEN}spreadsheet": "OpenDocument spreadsheet",
    f"{_OPEN}presentation": "OpenDocument presentation",
    "application/octet-stream": "File",
    "application/pdf": "PDF document",
    "application/postscript": "PostScript document",
    "application/rtf": "Rich text document",
    "application/sql": "SQL script",
    "application/vnd.ms-excel": "Excel spreadsheet",
    "application/vnd.ms-powerpoint": "PowerPoint presentation",
    "application/vnd.apache.parquet": "Parquet table",
    "application/vnd.google-earth.kml+xml": "Map data",
    "application/vnd.sqlite3": "SQLite database",
    "application/x-7z-compressed": "7z archive",
    "application/x-ndjson": "JSON records",
    "application/x-tar": "Tar archive",
    "application/xml": "XML data",
    "application/zip": "Zip archive",
    "audio/flac": "FLAC audio",
    "audio/mpeg": "MP3 audio",
    "audio/ogg": "Ogg audio",
    "audio/wav": "WAV audio",
    "font/ttf": "Font",
    "font/woff2": "Font",
    "image/gif": "GIF image",
    "image/jpeg": "JPEG image",
    "image/png": "PNG image",
    "image/svg+xml": "SVG drawing",
    "image/tiff": "TIFF image",
    "image/webp": "WebP image",
    "model/gltf-binary": "3D model",
    "text/calendar": "Calendar",
    "text/csv": "CSV table",
    "text/html": "Web page",
    "text/markdown": "Markdown text",
    "text/plain": "Text",
    "text/tab-separated-values": "Tab-separated table",
    "text/vcard": "Contact",
    "text/vtt": "Subtitles",
    "video/mp4": "MP4 video",
    "video/webm": "WebM video",
}
_FAMILIES = {"audio": "Audio", "font": "Font", "image": "Image", "model": "3D model", "text": "Text", "video": "Video"}


def type_in_words(media_type: str) -> str:
    """`PDF document` for `application/pdf`; the family for a rare type, `File` for an unknown one."""
    return WORDS.get(media_type) or _FAMILIES.get(media_type.partition("/")[0], "File")
