//! Having the daemon do something: bollard, whose types say what can be done.

use super::failed;
use crate::facts::Cause;
use crate::host::HostError;
use bollard::errors::Error;
use bollard::query_parameters::{InspectContainerOptions, StartContainerOptions};
use bollard::{API_DEFAULT_VERSION, Docker};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// Starts a container; see [`crate::host::Host::start_container`].
pub(in crate::host) fn start(
    socket: &str,
    name: &str,
    deadline: Duration,
) -> Result<bool, HostError> {
    let refused = |cause, reason: String| failed(socket, cause, format!("start {name}: {reason}"));
    let late = || {
        refused(
            Cause::NoAnswer,
            format!("no answer within {} s", deadline.as_secs_f32()),
        )
    };
    let other = |error: &Error| refused(Cause::BadAnswer, error.to_string());
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused(Cause::Unsaid, error.to_string()))?;
    runtime.block_on(async {
        // bollard counts in whole seconds; the exact deadline is set around each call.
        let seconds = deadline.as_secs().saturating_add(1);
        let client = Docker::connect_with_unix(socket, seconds, API_DEFAULT_VERSION)
            .map_err(|error| other(&error))?;
        let client = match timeout(deadline, client.negotiate_version()).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(other(&error)),
            Err(_) => return Err(late()),
        };
        // That it runs already is no answer of its own for bollard.
        let inspect = client.inspect_container(name, None::<InspectContainerOptions>);
        if let Ok(Ok(found)) = timeout(deadline, inspect).await
            && found.state.and_then(|state| state.running) == Some(true)
        {
            return Ok(false);
        }
        let start = client.start_container(name, None::<StartContainerOptions>);
        match timeout(deadline, start).await {
            Ok(Ok(())) => Ok(true),
            // Not modified: it runs.
            Ok(Err(Error::DockerResponseServerError {
                status_code: 304, ..
            })) => Ok(false),
            Ok(Err(error)) => Err(other(&error)),
            Err(_) => Err(late()),
        }
    })
}
