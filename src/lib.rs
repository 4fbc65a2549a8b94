//! seaworthy makes a Docker host seaworthy.

