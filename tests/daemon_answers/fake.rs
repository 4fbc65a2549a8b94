//! A daemon that misbehaves as it is told.

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What comes back for one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// JSON with this status, as dockerd sends it.
    Json(u16, Value),
    /// These bytes, after which the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is closed.
    Last(Vec<u8>),
    /// These bytes, and then nothing more.
    Stall(Vec<u8>),
    /// These bytes, and then one byte after the other.
    Drip(Vec<u8>),
    /// These bytes, and then the others again and again.
    Flood(Vec<u8>, Vec<u8>),
}

/// A body with a head that says how long it is.
pub fn whole(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The daemon; its threads end with the test process.
pub struct Fake {
    folder: tempfile::TempDir,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    connections: usize,
    requests: Vec<String>,
}

impl Fake {
    /// Listens, and answers each path, version and query taken off, as `replies` says.
    pub fn new(replies: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let fake = Self {
            folder,
            log: log.clone(),
        };
        let replies = Arc::new(replies);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (replies, log) = (replies.clone(), log.clone());
                log.lock().unwrap().connections += 1;
                thread::spawn(move || serve(stream.unwrap(), &*replies, &log));
            }
        });
        fake
    }

    pub fn socket(&self) -> String {
        self.folder.path().join("docker.sock").display().to_string()
    }

    /// The paths as they were asked for, in order.
    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().requests.clone()
    }

    pub fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }
}

fn serve(mut stream: UnixStream, replies: &dyn Fn(&str) -> Reply, log: &Mutex<Log>) {
    while let Some(path) = request(&mut stream) {
        log.lock().unwrap().requests.push(path.clone());
        let path = match path.strip_prefix("/v1.") {
            Some(rest) => &rest[rest.find('/').unwrap()..],
            None => &path,
        };
        let reply = replies(path.split('?').next().unwrap());
        if !send(&mut stream, reply) {
            return;
        }
    }
}

/// The path of the next request; `None` when the other end is gone.
fn request(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut words = head.split(' ');
    assert_eq!(words.next(), Some("GET"), "reading asks for nothing else");
    words.next().map(str::to_owned)
}

/// Whether the connection is still good.
fn send(stream: &mut UnixStream, reply: Reply) -> bool {
    match reply {
        Reply::Json(status, body) => {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\nApi-Version: 1.45\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).is_ok()
        }
        Reply::Bytes(bytes) => stream.write_all(&bytes).is_ok(),
        Reply::Last(bytes) => {
            let _ = stream.write_all(&bytes);
            false
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes);
            // Until the other end gives up.
            let _ = stream.read(&mut [0]);
            false
        }
        Reply::Drip(bytes) => {
            let mut sent = stream.write_all(&bytes);
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(10));
                sent = stream.write_all(b" ");
            }
            false
        }
        Reply::Flood(bytes, more) => {
            let mut sent = stream.write_all(&bytes);
            while sent.is_ok() {
                sent = stream.write_all(&more);
            }
            false
        }
    }
}

/// How many containers [`healthy`] has.
pub const CONTAINERS: usize = 40;

/// The id of a container.
pub fn id(number: usize) -> String {
    format!("{number:064x}")
}

/// A daemon without fault: forty containers, the first of them running.
pub fn healthy(path: &str) -> Reply {
    let answer = match path {
        "/_ping" => return Reply::Bytes(whole("", b"OK")),
        "/version" => json!({ "Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24" }),
        "/info" => json!({
            "LiveRestoreEnabled": true, "LoggingDriver": "journald", "Driver": "overlay2",
            "DockerRootDir": "/var/lib/docker", "SecurityOptions": ["name=seccomp,profile=builtin"],
            "RegistryConfig": {}, "Plugins": { "Authorization": null }, "Debug": false,
            "ExperimentalBuild": false, "Swarm": { "LocalNodeState": "inactive" },
        }),
        "/networks" => json!([{ "Name": "bridge", "Id": "b", "Driver": "bridge",
            "Options": { "com.docker.network.bridge.enable_icc": "false" } }]),
        "/images/json" => json!([{ "Id": "sha256:1", "RepoTags": ["a:b"], "Size": 5 }]),
        "/volumes" => json!({ "Volumes": [{ "Name": "v" }], "Warnings": null }),
        "/containers/json" => (0..CONTAINERS)
            .map(|number| json!({ "Id": id(number), "Names": [format!("/c{number}")] }))
            .collect(),
        path => match path.strip_prefix("/containers/") {
            Some(rest) => {
                let id = rest.strip_suffix("/json").unwrap();
                let number = usize::from_str_radix(id, 16).unwrap();
                json!({
                    "Id": id, "Name": format!("/c{number}"), "State": { "Running": number == 0 },
                    "HostConfig": { "RestartPolicy": { "Name": "always" } },
                })
            }
            None => return Reply::Json(404, json!({ "message": "page not found" })),
        },
    };
    Reply::Json(200, answer)
}
