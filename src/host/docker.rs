//! Asking the Docker daemon over its unix socket.
//!
//! bollard makes the requests. Its types are closed: one value that a newer daemon has invented
//! makes it refuse a whole answer. Then the same path is asked for again in plain HTTP and read as
//! JSON without types, so that a container in an unknown state does not hide all the others.

use super::{DockerAnswers, HostError};
use crate::facts::Usage;
use bollard::errors::Error;
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListImagesOptions, ListNetworksOptions,
    ListVolumesOptions, StartContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use serde_json::Value;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// How long one answer may take. A daemon that prunes or pulls holds locks for seconds; one that
/// takes longer than this does not work.
pub(super) const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// How long `/system/df` may take. On a host with large volumes it takes minutes, and a plan is good
/// without it.
pub(super) const USAGE_DEADLINE: Duration = Duration::from_secs(20);

/// Requests under way at the same time: enough to hide the waiting, few enough not to be felt.
const AT_ONCE: usize = 16;

/// The largest answer that is read without types. `/containers/json` of a thousand containers is
/// about 2 MiB.
const LARGEST_ANSWER: u64 = 64 << 20;

/// One thing to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Request {
    Version,
    Info,
    Networks,
    Containers,
    Images,
    Volumes,
    Container(String),
}

impl Request {
    /// Without a version in front: the daemon answers in its own newest.
    fn path(&self) -> String {
        match self {
            Self::Version => "/version".to_owned(),
            Self::Info => "/info".to_owned(),
            Self::Networks => "/networks".to_owned(),
            Self::Containers => "/containers/json?all=1".to_owned(),
            Self::Images => "/images/json".to_owned(),
            Self::Volumes => "/volumes".to_owned(),
            Self::Container(id) => format!("/containers/{id}/json"),
        }
    }
}

/// Why a request has no answer.
#[derive(Debug)]
enum Failure {
    /// 404: it is gone since.
    NotFound,
    /// The answer is there, but not as bollard knows it.
    Unreadable,
    Other(String),
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything that is read from the daemon; see [`super::ReadHost::docker`].
    Everything,
    /// Settings and containers. Images and volumes say nothing about health, and a daemon that takes
    /// its time to list many of them is not ill.
    Health,
}

/// What the daemon says of itself, each answer within `deadline`.
pub(super) fn ask(
    socket: &str,
    scope: Scope,
    deadline: Duration,
) -> Result<DockerAnswers, HostError> {
    // Once by hand, for an error that says what is wrong: no socket, no rights, nobody there.
    UnixStream::connect(socket).map_err(|source| HostError::file(socket, "connect to", source))?;
    let session = Session::open(socket, deadline).map_err(|reason| failed(socket, reason))?;
    let mut requests = vec![
        Request::Version,
        Request::Info,
        Request::Networks,
        Request::Containers,
    ];
    if scope == Scope::Everything {
        requests.extend([Request::Images, Request::Volumes]);
    }
    let mut answers = session
        .all(&requests)
        .map_err(|reason| failed(socket, reason))?
        .into_iter();
    let mut next = || answers.next().flatten().unwrap_or(Value::Null);
    let mut found = DockerAnswers {
        version: next(),
        info: next(),
        networks: next(),
        ..DockerAnswers::default()
    };
    let containers = next();
    found.images = next();
    found.volumes = next();
    let summaries = match containers {
        Value::Array(summaries) => summaries,
        _ => Vec::new(),
    };
    let requests: Vec<Request> = summaries
        .iter()
        .filter_map(|summary| summary.get("Id")?.as_str())
        // It goes into a path: nothing but an id.
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(|id| Request::Container(id.to_owned()))
        .collect();
    let inspected = session
        .all(&requests)
        .map_err(|reason| failed(socket, reason))?;
    found.containers = inspected.into_iter().flatten().collect();
    Ok(found)
}

/// Whether the daemon answers at all, and within `deadline`.
pub(super) fn ping(socket: &str, deadline: Duration) -> Result<(), HostError> {
    match get(socket, "/_ping", deadline) {
        Ok((200, _)) => Ok(()),
        Ok((status, body)) => Err(failed(socket, server_said(status, &body))),
        Err(error) => Err(HostError::file(socket, "ask", error)),
    }
}

/// What everything takes on the disk; see [`super::ReadHost::docker_usage`]. The types of this answer
/// change between versions of the API, so it is read without any.
pub(super) fn usage(socket: &str, deadline: Duration) -> Result<Usage, HostError> {
    const PATH: &str = "/system/df";
    let failed = |reason: String| failed(socket, format!("GET {PATH}: {reason}"));
    match get(socket, PATH, deadline) {
        Ok((200, body)) => serde_json::from_slice(&body)
            .ok()
            .and_then(|answer| super::answers::usage(&answer))
            .ok_or_else(|| failed("there are no sizes in the answer".to_owned())),
        Ok((status, body)) => Err(failed(server_said(status, &body))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Starts a container; see [`super::Host::start_container`].
pub(super) fn start(socket: &str, name: &str, deadline: Duration) -> Result<bool, HostError> {
    let session = Session::open(socket, deadline).map_err(|reason| failed(socket, reason))?;
    let refused = |reason: String| failed(socket, format!("start {name}: {reason}"));
    let client = session
        .client
        .as_ref()
        .ok_or_else(|| refused("no common version of the API".to_owned()))?;
    session.runtime.block_on(async {
        // That it runs already is no answer of its own for bollard.
        let inspect = client.inspect_container(name, None::<InspectContainerOptions>);
        if let Ok(Ok(found)) = tokio::time::timeout(deadline, inspect).await
            && found.state.and_then(|state| state.running) == Some(true)
        {
            return Ok(false);
        }
        let start = client.start_container(name, None::<StartContainerOptions>);
        match tokio::time::timeout(deadline, start).await {
            Ok(Ok(())) => Ok(true),
            // Not modified: it runs.
            Ok(Err(Error::DockerResponseServerError {
                status_code: 304, ..
            })) => Ok(false),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(_) => Err(refused(too_slow(deadline))),
        }
    })
}

fn failed(socket: &str, reason: String) -> HostError {
    HostError::Docker {
        socket: socket.to_owned(),
        reason,
    }
}

struct Session<'a> {
    socket: &'a str,
    /// For each answer.
    deadline: Duration,
    runtime: Runtime,
    /// `None` where bollard and the daemon found no common version.
    client: Option<Docker>,
}

impl<'a> Session<'a> {
    fn open(socket: &'a str, deadline: Duration) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = runtime.block_on(async {
            // bollard counts in whole seconds; the exact deadline is set around each call.
            let seconds = deadline.as_secs().saturating_add(1);
            let client = Docker::connect_with_unix(socket, seconds, API_DEFAULT_VERSION)
                .map_err(|error| error.to_string())?;
            match tokio::time::timeout(deadline, client.negotiate_version()).await {
                Ok(Ok(client)) => Ok(Some(client)),
                Ok(Err(Error::RequestTimeoutError)) | Err(_) => {
                    Err(format!("GET /version: {}", too_slow(deadline)))
                }
                Ok(Err(_)) => Ok(None),
            }
        })?;
        Ok(Self {
            socket,
            deadline,
            runtime,
            client,
        })
    }

    /// The answers in the order of the requests; `None` for what is gone.
    fn all(&self, requests: &[Request]) -> Result<Vec<Option<Value>>, String> {
        let typed = self.typed(requests);
        let mut answers = Vec::with_capacity(requests.len());
        for (request, answer) in requests.iter().zip(typed) {
            let answer = match answer {
                Err(Failure::Unreadable) => self.untyped(request),
                other => other,
            };
            answers.push(match answer {
                Ok(value) => Some(value),
                Err(Failure::NotFound) => None,
                Err(Failure::Unreadable) => {
                    return Err(format!("GET {}: the answer is not JSON", request.path()));
                }
                Err(Failure::Other(reason)) => {
                    return Err(format!("GET {}: {reason}", request.path()));
                }
            });
        }
        Ok(answers)
    }

    fn typed(&self, requests: &[Request]) -> Vec<Result<Value, Failure>> {
        let mut answers: Vec<_> = requests.iter().map(|_| Err(Failure::Unreadable)).collect();
        let Some(client) = &self.client else {
            return answers;
        };
        self.runtime.block_on(async {
            let mut waiting = requests.iter().cloned().enumerate();
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE {
                    let Some((index, request)) = waiting.next() else {
                        break;
                    };
                    let client = client.clone();
                    let deadline = self.deadline;
                    running.spawn(async move { (index, call(&client, request, deadline).await) });
                }
                match running.join_next().await {
                    Some(Ok((index, answer))) => answers[index] = answer,
                    // Cannot happen (nothing is cancelled); asked again without types then.
                    Some(Err(_)) => {}
                    None => break,
                }
            }
        });
        answers
    }

    fn untyped(&self, request: &Request) -> Result<Value, Failure> {
        match get(self.socket, &request.path(), self.deadline) {
            Ok((200, body)) => serde_json::from_slice(&body).map_err(|_| Failure::Unreadable),
            Ok((404, _)) if matches!(request, Request::Container(_)) => Err(Failure::NotFound),
            Ok((status, body)) => Err(Failure::Other(server_said(status, &body))),
            Err(error) => Err(Failure::Other(error.to_string())),
        }
    }
}

fn too_slow(deadline: Duration) -> String {
    format!("no answer within {} s", deadline.as_secs_f32())
}

fn server_said(status: u16, body: &[u8]) -> String {
    let message = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|body| body.get("message")?.as_str().map(str::to_owned))
        .unwrap_or_default();
    format!("status {status} {message}").trim_end().to_owned()
}

async fn call(client: &Docker, request: Request, deadline: Duration) -> Result<Value, Failure> {
    let is_container = matches!(request, Request::Container(_));
    // bollard's own deadline ends with the answer's first line; the body needs one too.
    match tokio::time::timeout(deadline, typed_call(client, request)).await {
        Ok(Ok(value)) => value.map_err(|_| Failure::Unreadable),
        Ok(Err(error)) => Err(match error {
            Error::DockerResponseServerError {
                status_code: 404, ..
            } if is_container => Failure::NotFound,
            Error::JsonDataError { .. }
            | Error::JsonSerdeError { .. }
            | Error::StrParseError { .. } => Failure::Unreadable,
            error => Failure::Other(error.to_string()),
        }),
        Err(_) => Err(Failure::Other(too_slow(deadline))),
    }
}

async fn typed_call(
    client: &Docker,
    request: Request,
) -> Result<Result<Value, serde_json::Error>, Error> {
    Ok(match request {
        Request::Version => serde_json::to_value(client.version().await?),
        Request::Info => serde_json::to_value(client.info().await?),
        Request::Networks => {
            serde_json::to_value(client.list_networks(None::<ListNetworksOptions>).await?)
        }
        Request::Containers => {
            let all = ListContainersOptionsBuilder::new().all(true).build();
            serde_json::to_value(client.list_containers(Some(all)).await?)
        }
        Request::Images => {
            serde_json::to_value(client.list_images(None::<ListImagesOptions>).await?)
        }
        Request::Volumes => {
            serde_json::to_value(client.list_volumes(None::<ListVolumesOptions>).await?)
        }
        Request::Container(id) => serde_json::to_value(
            client
                .inspect_container(&id, None::<InspectContainerOptions>)
                .await?,
        ),
    })
}

/// One request in HTTP/1.0, which has neither chunks nor connections that stay open.
fn get(socket: &str, path: &str, deadline: Duration) -> io::Result<(u16, Vec<u8>)> {
    let ends = Instant::now() + deadline;
    let left = || {
        let left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::Error::new(io::ErrorKind::TimedOut, too_slow(deadline)))
        } else {
            Ok(left)
        }
    };
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(
        format!("GET {path} HTTP/1.0\r\nHost: docker\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        // Each read gets what is left: an answer that drips in must not take for ever.
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if answer.len() as u64 > LARGEST_ANSWER {
            return Err(io::Error::other(format!(
                "the answer is larger than {} MiB",
                LARGEST_ANSWER >> 20
            )));
        }
    }
    split(&answer).ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

/// Status and body of a whole answer.
fn split(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/1."))?;
    let status = words.next()?.parse().ok()?;
    Some((status, answer[end + 4..].to_vec()))
}

#[cfg(test)]
#[path = "docker_tests.rs"]
mod tests;
