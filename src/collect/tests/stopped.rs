//! Containers that the daemon has noted as stopped.

use super::*;
use crate::facts::Container;

#[test]
fn who_counts_as_stopped_stands_in_the_daemons_own_record() {
    let container = |id: &str, policy: &str| json!({ "Id": id, "State": { "Running": true }, "HostConfig": { "RestartPolicy": { "Name": policy } } });
    let mut host = model();
    host.docker = Some(DockerAnswers {
        info: json!({ "DockerRootDir": "/srv/docker/1.1" }),
        containers: vec![
            container("a1", "unless-stopped"),
            container("a2", "unless-stopped"),
            container("a3", "unless-stopped"),
            container("a4", "always"),
            container("../a1", "unless-stopped"),
        ],
        ..DockerAnswers::default()
    });
    let record = |id: &str| format!("/srv/docker/1.1/containers/{id}/config.v2.json");
    let host = host
        .file(
            &record("a1"),
            r#"{"HasBeenManuallyStopped": true, "Pid": 1}"#,
        )
        .file(&record("a2"), r#"{"HasBeenManuallyStopped": false}"#)
        .file(&record("a3"), "{")
        .file(&record("a4"), r#"{"HasBeenManuallyStopped": true}"#)
        .file(&record("../a1"), r#"{"HasBeenManuallyStopped": true}"#);
    let facts = collected(&host);
    let containers = &facts.docker.known().unwrap().containers;
    let marked: Vec<Option<bool>> = containers
        .iter()
        .map(|it| it.marked_stopped.known().copied())
        .collect();
    // One whose record is no JSON, and one whose id is none: nobody knows.
    assert_eq!(marked, [Some(true), Some(false), None, None, None]);
    let back: Vec<bool> = containers.iter().map(Container::comes_back).collect();
    assert_eq!(back, [false, true, false, true, false]);
}
