-- Everything that is read by key and listed by key alone.
CREATE TABLE resources (
    kind    text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    region  text COLLATE "C" NOT NULL,
    parent  text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    doc     json NOT NULL,
    PRIMARY KEY (kind, account, region, parent, id)
);
