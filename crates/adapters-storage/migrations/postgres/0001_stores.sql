-- One table for each kind of entity: its key, what lists filter by, its version, and the document as it was saved.
--
-- Names compare as bytes (COLLATE "C"), as they do everywhere else in KECS; pages depend on it. Documents are json, not
-- jsonb: they come back letter by letter, and a NUL character in a user's text is no error. Times are milliseconds since
-- 1970.

-- A version is used once, for whatever key: so it rises across deletes too.
CREATE SEQUENCE kecs_version AS bigint;

CREATE TABLE clusters (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    status  text NOT NULL,
    version bigint NOT NULL,
    doc     json NOT NULL,
    PRIMARY KEY (account, region, name)
);
CREATE INDEX clusters_active ON clusters (account, region, name) WHERE status = 'ACTIVE';

CREATE TABLE families (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    doc     json NOT NULL,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE task_definitions (
    account  text COLLATE "C" NOT NULL,
    region   text COLLATE "C" NOT NULL,
    family   text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    status   text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    doc      json NOT NULL,
    PRIMARY KEY (account, region, family, revision)
);
CREATE INDEX task_definitions_status ON task_definitions (account, region, status, family, revision);

CREATE TABLE tasks (
    account     text COLLATE "C" NOT NULL,
    region      text COLLATE "C" NOT NULL,
    cluster     text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    desired     text COLLATE "C" NOT NULL,
    family      text COLLATE "C" NOT NULL,
    service     text COLLATE "C",
    started_by  text COLLATE "C",
    launch_type text COLLATE "C",
    instance    text COLLATE "C",
    accounted   boolean NOT NULL,
    stopped_at  bigint,
    version     bigint NOT NULL,
    doc         json NOT NULL,
    PRIMARY KEY (account, region, cluster, id)
);
-- An index for each filter of ListTasks. The desired status is a part of nearly every question.
CREATE INDEX tasks_desired ON tasks (account, region, cluster, desired, id);
CREATE INDEX tasks_family ON tasks (account, region, cluster, family, desired, id);
CREATE INDEX tasks_service ON tasks (account, region, cluster, service, desired, id) WHERE service IS NOT NULL;
-- startedBy is up to the caller, and may be longer than an index entry can be.
CREATE INDEX tasks_started_by ON tasks (account, region, cluster, md5(started_by), desired, id) WHERE started_by IS NOT NULL;
CREATE INDEX tasks_launch_type ON tasks (account, region, cluster, launch_type, desired, id);
CREATE INDEX tasks_instance ON tasks (account, region, cluster, instance, desired, id) WHERE instance IS NOT NULL;
-- What a service's scheduler looks at.
CREATE INDEX tasks_open ON tasks (account, region, cluster, service)
    WHERE service IS NOT NULL AND (status <> 'STOPPED' OR NOT accounted);
-- What a start takes up, and what clusters count.
CREATE INDEX tasks_unfinished ON tasks (account, region, cluster, id) WHERE status <> 'STOPPED';
CREATE INDEX tasks_counts ON tasks (account, region, cluster, status, launch_type) WHERE status <> 'STOPPED';
-- What retention removes.
CREATE INDEX tasks_stopped ON tasks (stopped_at NULLS FIRST) WHERE status = 'STOPPED';

CREATE TABLE services (
    account     text COLLATE "C" NOT NULL,
    region      text COLLATE "C" NOT NULL,
    cluster     text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    launch_type text COLLATE "C",
    strategy    text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    doc         json NOT NULL,
    PRIMARY KEY (account, region, cluster, name)
);
CREATE INDEX services_unfinished ON services (account, region, cluster, name) INCLUDE (status, launch_type, strategy)
    WHERE status <> 'INACTIVE';

CREATE TABLE service_deployments (
    account    text COLLATE "C" NOT NULL,
    region     text COLLATE "C" NOT NULL,
    cluster    text COLLATE "C" NOT NULL,
    service    text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    version    bigint NOT NULL,
    doc        json NOT NULL,
    PRIMARY KEY (account, region, cluster, service, id)
);
CREATE INDEX service_deployments_time ON service_deployments (account, region, cluster, service, created_at, id);

CREATE TABLE service_revisions (
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    cluster text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    doc     json NOT NULL,
    PRIMARY KEY (account, region, cluster, service, id)
);

CREATE TABLE tokens (
    account    text COLLATE "C" NOT NULL,
    region     text COLLATE "C" NOT NULL,
    cluster    text COLLATE "C" NOT NULL,
    operation  text COLLATE "C" NOT NULL,
    token      text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    version    bigint NOT NULL,
    doc        json NOT NULL,
    PRIMARY KEY (account, region, cluster, operation, token)
);
CREATE INDEX tokens_time ON tokens (created_at);
