//! Asking the daemon, and only asking.
//!
//! hyper speaks HTTP; what is its own here are the bounds. Every question has a deadline for the
//! connection, one for the head of the answer and one for all of it, and all questions have one
//! together; the size of one answer and of all is limited, and so is the number of values in it, as
//! two bytes of JSON can become seventy in memory. A question that fails says why and costs no other
//! one anything. Connections are kept, and questions may be repeated: they change nothing.

use super::super::Patience;
use crate::facts::Cause;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

/// Questions under way at the same time: enough to hide the waiting, few enough not to be felt.
const AT_ONCE: usize = 16;

/// The newest version of the API that this program was tried with. A newer daemon is asked in this
/// one, whose answers keep their shape (docs.docker.com, "Docker Engine API", "Versioning").
const NEWEST: (u32, u32) = (1, 53);

/// The longest head of an answer, in bytes, and the most headers in it. dockerd sends seven.
const LONGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// As many values as one answer may hold. Ten thousand images have some three hundred thousand.
const MOST_VALUES: usize = 2_000_000;

/// What is read of an answer that is an error.
const LONGEST_COMPLAINT: u64 = 64 << 10;

/// How long to wait before a socket whose queue is full is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) cause: Cause,
    /// As a clause: "no answer within 10 s".
    pub(super) reason: String,
    /// 404: what was asked about is gone.
    pub(super) gone: bool,
    /// All answers together were too much: alone this one may be none too many.
    crowded: bool,
}

impl Silence {
    pub(super) fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Self {
            cause,
            reason: reason.into(),
            gone: false,
            crowded: false,
        }
    }

    fn late(within: Duration) -> Self {
        Self::new(Cause::NoAnswer, too_slow(within))
    }

    /// The rest of an answer whose beginning is there, and says nothing wrong.
    fn broken(error: &hyper::Error) -> Self {
        Self::new(Cause::BadAnswer, in_words(error))
    }
}

fn too_slow(within: Duration) -> String {
    format!("no answer within {} s", within.as_secs_f32())
}

fn in_words(error: &hyper::Error) -> String {
    let what = if error.is_parse_too_large() {
        "the head of the answer is too large".to_owned()
    } else if error.is_parse() {
        "the answer is not HTTP".to_owned()
    } else if error.is_incomplete_message() {
        "the answer ends before it is complete".to_owned()
    } else {
        error.to_string()
    };
    let inner = std::error::Error::source(error).map(ToString::to_string);
    match inner {
        Some(inner) if !what.contains(&inner) => format!("{what}: {inner}"),
        _ => what,
    }
}

/// A way to ask one daemon.
pub(super) struct Client {
    runtime: Runtime,
    shared: Arc<Shared>,
    idle: Vec<Connection>,
}

/// What all connections of a client share.
struct Shared {
    socket: String,
    patience: Patience,
    /// When the time for all questions is over.
    ends: Instant,
    /// The bytes of the answers that are held or under way.
    held: AtomicU64,
}

/// The questions that wait, each with its place in the list of answers.
type Waiting = Arc<Mutex<VecDeque<(usize, String)>>>;

impl Client {
    /// Nobody is asked yet. `ends` is when the time for all questions is over.
    pub(super) fn new(socket: &str, patience: Patience, ends: Instant) -> io::Result<Self> {
        Ok(Self {
            runtime: RuntimeBuilder::new_current_thread().enable_all().build()?,
            shared: Arc::new(Shared {
                socket: socket.to_owned(),
                patience,
                ends,
                held: AtomicU64::new(0),
            }),
            idle: Vec::new(),
        })
    }

    /// What answers `GET path` with status 200.
    pub(super) fn plain(&mut self, path: &str) -> Result<Vec<u8>, Silence> {
        let mut connection = self.idle.pop();
        let answer = self
            .runtime
            .block_on(self.shared.answer(&mut connection, path));
        self.idle.extend(connection);
        answer
    }

    /// The JSON that answers `GET path`.
    pub(super) fn one(&mut self, path: &str) -> Result<Value, Silence> {
        self.plain(path).and_then(|body| parsed(&body))
    }

    /// The JSON that answers each question, in their order.
    pub(super) fn all(&mut self, asked: &[String]) -> Vec<Result<Value, Silence>> {
        let not_asked = || Err(Silence::new(Cause::NotAsked, "it was not asked"));
        let mut answers: Vec<_> = asked.iter().map(|_| not_asked()).collect();
        let numbered = |places: &[usize]| -> VecDeque<(usize, String)> {
            places
                .iter()
                .map(|place| (*place, asked[*place].clone()))
                .collect()
        };
        let every: Vec<usize> = (0..asked.len()).collect();
        self.ask(numbered(&every), AT_ONCE, &mut answers);
        // Whose neighbours were too large gets another chance, alone.
        let crowded: Vec<usize> = every
            .into_iter()
            .filter(|place| matches!(&answers[*place], Err(silence) if silence.crowded))
            .collect();
        self.ask(numbered(&crowded), 1, &mut answers);
        answers
    }

    fn ask(
        &mut self,
        waiting: VecDeque<(usize, String)>,
        at_once: usize,
        answers: &mut [Result<Value, Silence>],
    ) {
        let workers = at_once.min(waiting.len());
        let surplus = self.idle.split_off(workers.min(self.idle.len()));
        let waiting: Waiting = Arc::new(Mutex::new(waiting));
        let mut kept: Vec<Option<Connection>> = self.idle.drain(..).map(Some).collect();
        kept.resize_with(workers, || None);
        self.idle = surplus;
        let idle = &mut self.idle;
        let shared = &self.shared;
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            for connection in kept {
                running.spawn(work(shared.clone(), waiting.clone(), connection));
            }
            while let Some(done) = running.join_next().await {
                // A worker that panicked leaves its questions unanswered, which is what they are.
                if let Ok((found, connection)) = done {
                    for (place, answer) in found {
                        answers[place] = answer;
                    }
                    idle.extend(connection);
                }
            }
        });
    }
}

/// Asks until nothing waits; hands back the answers and the connection, where it is still good.
async fn work(
    shared: Arc<Shared>,
    waiting: Waiting,
    mut connection: Option<Connection>,
) -> (Vec<(usize, Result<Value, Silence>)>, Option<Connection>) {
    let mut found = Vec::new();
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    while let Some((place, path)) = next() {
        let answer = shared.answer(&mut connection, &path).await;
        found.push((place, answer.and_then(|body| parsed(&body))));
    }
    (found, connection)
}

fn parsed(body: &[u8]) -> Result<Value, Silence> {
    // Strings count, too; no answer has so many commas in them.
    let values = body.iter().filter(|byte| b",[{:".contains(byte)).count();
    if values > MOST_VALUES {
        return Err(Silence::new(
            Cause::TooBig,
            format!("the answer has more than {MOST_VALUES} values"),
        ));
    }
    serde_json::from_slice(body)
        .map_err(|_| Silence::new(Cause::BadAnswer, "the answer is not JSON"))
}

impl Shared {
    /// The body that answers `GET path` with status 200.
    async fn answer(
        &self,
        connection: &mut Option<Connection>,
        path: &str,
    ) -> Result<Vec<u8>, Silence> {
        let left = self.ends.saturating_duration_since(Instant::now());
        let used_up = || {
            let all = self.patience.all.as_secs_f32();
            Silence::new(
                Cause::NoAnswer,
                format!("the time for all questions together, {all} s, is used up"),
            )
        };
        if left.is_zero() {
            return Err(used_up());
        }
        let answer = async {
            // A connection that was kept may have been closed at the other end meanwhile.
            if let Some(kept) = connection.take()
                && let Some(answer) = self.try_again(kept, connection, path).await
            {
                return answer;
            }
            let fresh = self.connect().await?;
            self.exchange(fresh, connection, path)
                .await
                .map_err(|(silence, _)| silence)
        };
        timeout(left, answer)
            .await
            .unwrap_or_else(|_| Err(used_up()))
    }

    /// Asks over a connection that was kept; `None` where it turns out to be closed.
    async fn try_again(
        &self,
        kept: Connection,
        connection: &mut Option<Connection>,
        path: &str,
    ) -> Option<Result<Vec<u8>, Silence>> {
        match self.exchange(kept, connection, path).await {
            Ok(body) => Some(Ok(body)),
            Err((_, true)) => None,
            Err((silence, false)) => Some(Err(silence)),
        }
    }

    async fn connect(&self) -> Result<Connection, Silence> {
        let within = self.patience.connect;
        let connected = async {
            loop {
                match UnixStream::connect(&self.socket).await {
                    // The queue of the socket is full: connect(2), EAGAIN.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(PAUSE).await,
                    other => return other,
                }
            }
        };
        let stream = match timeout(within, connected).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(not_connected(&error)),
            Err(_) => {
                return Err(Silence::new(
                    Cause::NoAnswer,
                    format!("no connection within {} s", within.as_secs_f32()),
                ));
            }
        };
        let (sender, driver) = Builder::new()
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Silence::broken(&error))?;
        // It ends with the connection; what goes wrong is told to the question as well.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(Connection { sender })
    }

    /// Asks, and keeps the connection where that is possible. The error says whether the connection
    /// was closed before anything of an answer came.
    async fn exchange(
        &self,
        mut using: Connection,
        keep: &mut Option<Connection>,
        path: &str,
    ) -> Result<Vec<u8>, (Silence, bool)> {
        let within = self.patience;
        let ends = tokio::time::Instant::now() + within.answer;
        let fatal = |silence| (silence, false);
        let request = hyper::Request::get(path)
            .header(hyper::header::HOST, "docker")
            .header(hyper::header::USER_AGENT, "seaworthy")
            .body(Empty::<Bytes>::new())
            .map_err(|error| fatal(Silence::new(Cause::BadAnswer, error.to_string())))?;
        let head = async {
            using.sender.ready().await?;
            using.sender.send_request(request).await
        };
        let answer = match timeout(within.first_byte.min(within.answer), head).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let closed = error.is_closed()
                    || error.is_canceled()
                    || error.is_incomplete_message()
                    || !error.is_parse() && !error.is_timeout();
                return Err((Silence::broken(&error), closed));
            }
            Err(_) => return Err(fatal(Silence::late(within.first_byte))),
        };
        let status = answer.status().as_u16();
        let largest = if status == 200 {
            within.largest
        } else {
            within.largest.min(LONGEST_COMPLAINT)
        };
        let read = self.body(answer.into_body(), largest);
        let body = match timeout_at(ends, read).await {
            Ok(body) => body,
            Err(_) => Err(Silence::new(
                Cause::NoAnswer,
                format!(
                    "the answer was not complete within {} s",
                    within.answer.as_secs_f32()
                ),
            )),
        };
        if status != 200 {
            // Whatever its body is, or is not.
            let mut silence = Silence::new(
                Cause::BadAnswer,
                server_said(status, &body.clone().unwrap_or_default()),
            );
            silence.gone = status == 404;
            if body.is_ok() {
                *keep = Some(using);
            }
            return Err(fatal(silence));
        }
        let body = body.map_err(fatal)?;
        *keep = Some(using);
        Ok(body)
    }

    async fn body(&self, mut body: Incoming, largest: u64) -> Result<Vec<u8>, Silence> {
        let mut holding = Holding {
            all: &self.held,
            bytes: 0,
        };
        let mib = |bytes: u64| {
            if bytes < 1 << 20 {
                format!("{} KiB", bytes >> 10)
            } else {
                format!("{} MiB", bytes >> 20)
            }
        };
        let too_big = || {
            Silence::new(
                Cause::TooBig,
                format!("the answer is larger than {}", mib(largest)),
            )
        };
        if body.size_hint().lower() > largest {
            return Err(too_big());
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Silence::broken(&error))?;
            // Trailers say nothing here.
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if bytes.len() as u64 + data.len() as u64 > largest {
                return Err(too_big());
            }
            let held = holding.more(data.len() as u64);
            if held > self.patience.together {
                let mut silence = Silence::new(
                    Cause::TooBig,
                    format!(
                        "all answers together are larger than {}",
                        mib(self.patience.together)
                    ),
                );
                silence.crowded = true;
                return Err(silence);
            }
            bytes.extend_from_slice(&data);
        }
        holding.keep();
        Ok(bytes)
    }
}

/// Bytes that count for all answers together, until it turns out that they are thrown away.
struct Holding<'a> {
    all: &'a AtomicU64,
    bytes: u64,
}

impl Holding<'_> {
    /// How many all are then.
    fn more(&mut self, bytes: u64) -> u64 {
        self.bytes += bytes;
        self.all.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    fn keep(&mut self) {
        self.bytes = 0;
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
}

fn not_connected(error: &io::Error) -> Silence {
    let cause = match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::Refused,
        io::ErrorKind::PermissionDenied => Cause::NotPermitted,
        io::ErrorKind::NotFound => Cause::NotThere,
        _ => Cause::BadAnswer,
    };
    Silence::new(cause, format!("cannot connect: {error}"))
}

/// What an answer says that is an error: `status 503 starting`.
fn server_said(status: u16, body: &[u8]) -> String {
    let message = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| body.get("message")?.as_str().map(str::to_owned))
        .unwrap_or_default();
    let message: String = message.chars().take(400).collect();
    format!("status {status} {message}").trim_end().to_owned()
}

/// What stands before a path, so that this daemon answers in a version that both know: `/v1.45`, from
/// its answer to `/version`; empty where that says nothing of it.
pub(super) fn prefix(version: &Value) -> String {
    let number = |field: &str| -> Option<(u32, u32)> {
        let (major, minor) = version.get(field)?.as_str()?.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let Some(newest) = number("ApiVersion") else {
        return String::new();
    };
    // One that no longer answers in the newest that we know is asked in the oldest that it knows.
    let oldest = number("MinAPIVersion").unwrap_or_default();
    let (major, minor) = newest.min(NEWEST).max(oldest);
    format!("/v{major}.{minor}")
}
