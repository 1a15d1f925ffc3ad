//! The PostgreSQL store keeps the contract of a store, against a real server.

use std::sync::OnceLock;

use kecs_adapters_storage::PostgresStore;
use kecs_testkit::postgres::{NoServer, Server};
use kecs_testkit::sample;
use kecs_testkit::store::{Fixture, StoreFactory, create};
use kecs_usecases::ports::{ClusterStore, PortErrorKind, TaskStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The one server of this test binary.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match Server::start() {
        Ok(server) => Some(server),
        Err(missing @ NoServer::NotInstalled) => {
            eprintln!("SKIPPED: every test of the PostgreSQL store: {missing}");
            None
        }
        Err(failure) => panic!("{failure}"),
    });
    if server.is_none() {
        eprintln!("SKIPPED: there is no PostgreSQL");
    }
    server.as_ref()
}

async fn database() -> Option<String> {
    let server = server()?;
    let (name, url) = server.fresh_database();
    let mut admin = PgConnection::connect(server.url()).await.expect("the server answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .expect("a database is made");
    Some(url)
}

struct Postgres;

impl StoreFactory for Postgres {
    async fn fresh() -> Option<Fixture> {
        let url = database().await?;
        Some(Fixture::new(PostgresStore::connect(&url).await.expect("the store opens"), ()))
    }
}

kecs_testkit::store_contract!(Postgres);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_replicas_start_at_once_and_see_each_other() {
    let Some(url) = database().await else { return };
    let replicas = (0..4).map(|_| {
        tokio::spawn({
            let url = url.clone();
            async move { PostgresStore::connect(&url).await.unwrap() }
        })
    });
    let mut stores = Vec::new();
    for replica in replicas.collect::<Vec<_>>() {
        stores.push(replica.await.unwrap());
    }
    let version = create(&stores[0], [sample::cluster("main").into()]).await[0];
    for store in &stores {
        let found = store.clusters(&[sample::cluster_key("main")]).await.unwrap().remove(0);
        assert_eq!(found.unwrap().version, version);
    }
}

#[tokio::test]
async fn a_text_with_any_character_but_nul_comes_back_letter_by_letter() {
    let Some(url) = database().await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let mut task = sample::task(&sample::cluster_key("main"), 1);
    // In a document a NUL is `\u0000`; a key of an index can't have it, and startedBy is one.
    task.doc.make_mut().stopped_reason = Some("\0 \u{1f680} \\u0000 \"".to_owned());
    task.doc.make_mut().started_by = Some("x".repeat(9000));
    create(&store, [task.clone().into()]).await;
    let found = store.tasks(std::slice::from_ref(&task.key)).await.unwrap().remove(0);
    assert_eq!(*found.unwrap().value, task);
}

#[tokio::test]
async fn a_store_whose_server_is_out_of_reach_says_that_it_may_work_later() {
    let refused = PostgresStore::connect("postgres://kecs@localhost/x?host=/nonexistent").await.unwrap_err();
    assert_eq!(refused.kind, PortErrorKind::Transient, "{refused}");
    let wrong = PostgresStore::connect("mysql://kecs@localhost/x").await.unwrap_err();
    assert_eq!(wrong.kind, PortErrorKind::Permanent, "{wrong}");
    let Some(url) = database().await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    store.close().await;
    let closed = store.clusters(&[sample::cluster_key("main")]).await.unwrap_err();
    assert_eq!(closed.kind, PortErrorKind::Transient, "{closed}");
}
