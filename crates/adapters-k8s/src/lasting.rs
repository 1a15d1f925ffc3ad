//! Watches that last: they go on where they were after a break, and begin anew with a list where they can't.

use std::fmt::Debug;
use std::future::ready;

use futures::stream::{self, BoxStream, StreamExt as _};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Error, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::pauses::Pauses;

/// The events of a kind, for ever. The pauses after failures grow, so that a server which comes back isn't asked by
/// everybody at once.
pub(crate) fn lasting<K>(api: Api<K>, config: Config) -> BoxStream<'static, Result<Event<K>, Error>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let one = move || watcher(api.clone(), config.clone()).backoff(Pauses::default());
    // The watcher begins anew when a watch tells that its version is gone, but not when the request for it is refused
    // with that: then it would ask for the same version again and again.
    stream::repeat_with(one)
        .flat_map(|events| {
            events.scan(false, |gone, event| {
                if *gone {
                    return ready(None);
                }
                *gone = event.as_ref().is_err_and(is_refused_as_gone);
                ready(Some(event))
            })
        })
        .boxed()
}

fn is_refused_as_gone(error: &Error) -> bool {
    matches!(error, Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}
