//! Each way not to answer.

use super::fake::{Reply, whole};
use seaworthy::facts::Cause;
use serde_json::json;

/// Ways not to answer, the kind of reason, and what is said of it.
pub(super) fn faults() -> Vec<(&'static str, Reply, Cause, &'static str)> {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const LONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[";
    let bytes = <[u8]>::to_vec;
    let mut huge_head = bytes(b"HTTP/1.1 200 OK\r\nX-Long: ");
    huge_head.resize(200_000, b'a');
    let mut many_headers = bytes(b"HTTP/1.1 200 OK\r\n");
    for number in 0..1000 {
        many_headers.extend(format!("X-{number}: 1\r\n").bytes());
    }
    many_headers.extend(b"\r\n");
    let mut chunk = bytes(b"10000\r\n");
    chunk.resize(chunk.len() + 0x1_0000, b'1');
    chunk.extend(b"\r\n");
    let late = "no answer within 3 s";
    let not_whole = "the answer was not complete within 4 s";
    let too_big = "the answer is larger than 1 MiB";
    let cut = "the answer ends before it is complete";
    vec![
        ("nothing", Reply::Stall(Vec::new()), Cause::NoAnswer, late),
        (
            "half a head",
            Reply::Stall(bytes(b"HTTP/1.1 200 OK\r\nContent-")),
            Cause::NoAnswer,
            late,
        ),
        (
            "a head that drips",
            Reply::Drip(bytes(b"HTTP/1.1 200 OK\r\nX: ")),
            Cause::NoAnswer,
            late,
        ),
        (
            "a head alone",
            Reply::Stall(bytes(LONG)),
            Cause::NoAnswer,
            not_whole,
        ),
        (
            "a body that drips",
            Reply::Drip(bytes(LONG)),
            Cause::NoAnswer,
            not_whole,
        ),
        (
            "chunks without end",
            Reply::Flood(bytes(CHUNKED), chunk),
            Cause::TooBig,
            too_big,
        ),
        (
            "a body without end",
            Reply::Flood(bytes(b"HTTP/1.1 200 OK\r\n\r\n"), vec![b'1'; 1 << 16]),
            Cause::TooBig,
            too_big,
        ),
        (
            "a length of 4 GiB",
            Reply::Stall(bytes(
                b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n",
            )),
            Cause::TooBig,
            too_big,
        ),
        (
            "a length that is no number",
            Reply::Last(bytes(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n[]")),
            Cause::BadAnswer,
            "the answer is not HTTP",
        ),
        (
            "less than its length",
            Reply::Last(bytes(LONG)),
            Cause::BadAnswer,
            "",
        ),
        (
            "more than its length",
            Reply::Last(bytes(
                b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1,2,3]",
            )),
            Cause::BadAnswer,
            "the answer is not JSON",
        ),
        (
            "a chunk that is cut",
            Reply::Last([CHUNKED, b"5\r\n[1,"].concat()),
            Cause::BadAnswer,
            "",
        ),
        (
            "a header without end",
            Reply::Stall(huge_head),
            Cause::BadAnswer,
            "the head of the answer is too large",
        ),
        (
            "a thousand headers",
            Reply::Stall(many_headers),
            Cause::BadAnswer,
            "the head of the answer is too large",
        ),
        ("no word", Reply::Last(Vec::new()), Cause::BadAnswer, cut),
        (
            "another protocol",
            Reply::Last(bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n")),
            Cause::BadAnswer,
            "the answer is not HTTP",
        ),
        (
            "an error",
            Reply::Json(500, json!({ "message": "busy" })),
            Cause::BadAnswer,
            "status 500 busy",
        ),
        (
            "an error in HTML",
            Reply::Bytes(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>".to_vec()),
            Cause::BadAnswer,
            "status 502",
        ),
        (
            "an error without end",
            Reply::Flood(bytes(b"HTTP/1.1 500 X\r\n\r\n"), vec![b'1'; 1 << 16]),
            Cause::BadAnswer,
            "status 500",
        ),
        (
            "somewhere else",
            Reply::Bytes(
                b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".to_vec(),
            ),
            Cause::BadAnswer,
            "status 302",
        ),
        (
            "HTML",
            Reply::Bytes(whole("Content-Type: text/html\r\n", b"<html></html>")),
            Cause::BadAnswer,
            "the answer is not JSON",
        ),
        (
            "JSON that is cut",
            Reply::Bytes(whole("", br#"{"a": [1,"#)),
            Cause::BadAnswer,
            "the answer is not JSON",
        ),
        (
            "JSON without end of depth",
            Reply::Bytes(whole("", "[".repeat(100_000).as_bytes())),
            Cause::BadAnswer,
            "the answer is not JSON",
        ),
        (
            "nothing at all",
            Reply::Bytes(whole("", b"")),
            Cause::BadAnswer,
            "the answer is not JSON",
        ),
        (
            "other data",
            Reply::Json(200, json!("ahoy")),
            Cause::BadAnswer,
            "the answer is not what this call answers",
        ),
    ]
}
