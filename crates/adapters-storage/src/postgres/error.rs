//! What a failure of PostgreSQL means for the caller.

use kecs_usecases::ports::{PortError, PortErrorKind};

/// The port error for `error`.
pub(super) fn port(error: sqlx::Error) -> PortError {
    PortError::new(kind(&error), format!("PostgreSQL: {error}"))
}

fn kind(error: &sqlx::Error) -> PortErrorKind {
    use sqlx::Error;
    match error {
        Error::Database(refusal) => {
            refusal.code().map_or(PortErrorKind::Permanent, |code| kind_of_code(&code))
        }
        // The connection was lost or could not be had. Whether a COMMIT on it was done is not known: whoever tries
        // again finds a Conflict if it was.
        Error::Io(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => PortErrorKind::Transient,
        _ => PortErrorKind::Permanent,
    }
}

/// By SQLSTATE. (PostgreSQL documentation, appendix A)
fn kind_of_code(code: &str) -> PortErrorKind {
    match code {
        // Somebody else saved the same new key.
        "23505" => PortErrorKind::Conflict,
        // Serialization failure, deadlock, lock not available, query cancelled, shutdown and crash.
        "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" => {
            PortErrorKind::Transient
        }
        // Connection exceptions, insufficient resources.
        _ if code.starts_with("08") || code.starts_with("53") => PortErrorKind::Transient,
        _ => PortErrorKind::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_the_caller_can_do() {
        for (code, kind) in [
            ("23505", PortErrorKind::Conflict),
            ("40001", PortErrorKind::Transient),
            ("08006", PortErrorKind::Transient),
            ("53300", PortErrorKind::Transient),
            ("42P01", PortErrorKind::Permanent),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
        assert_eq!(kind(&sqlx::Error::PoolTimedOut), PortErrorKind::Transient);
        assert_eq!(kind(&sqlx::Error::RowNotFound), PortErrorKind::Permanent);
    }
}
