//! The SigV4 credential scope of a request: who signed it, for which region and service.
//!
//! The signature itself is **not verified**: there are no secret keys to verify it with. Whoever reaches the port may
//! do everything, so the default address is a loopback one.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, HeaderMap};

/// What a request is signed with. Parts that are not there are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credential<'a> {
    /// The access key id.
    pub(crate) access_key: Cow<'a, str>,
    /// Such as `eu-central-1`.
    pub(crate) region: Cow<'a, str>,
    /// The signing name, such as `ecs`.
    pub(crate) service: Cow<'a, str>,
}

impl<'a> Credential<'a> {
    /// From the header `Authorization`, else from the query of a presigned request. None when it isn't signed, or
    /// not in a form that is known.
    pub(crate) fn of(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<Self> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            return Self::of_header(value.to_str().ok()?);
        }
        let value = query?.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        let decoded = percent_decoded(value)?;
        Self::of_scope(&decoded).map(Credential::into_owned)
    }

    /// `AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-central-1/ecs/aws4_request, SignedHeaders=..., Signature=...`
    fn of_header(value: &'a str) -> Option<Self> {
        let (algorithm, fields) = value.split_once(' ')?;
        if !algorithm.starts_with("AWS4-") {
            return None;
        }
        let scope = fields.split(',').find_map(|field| field.trim_start().strip_prefix("Credential="))?;
        Self::of_scope(scope.trim_end())
    }

    /// `AKID/DATE/REGION/SERVICE/aws4_request`, or without the region for SigV4A, which signs for a set of regions.
    /// Counted from the end, as an access key id may hold a slash.
    fn of_scope(scope: &str) -> Option<Credential<'_>> {
        let rest = scope.strip_suffix("/aws4_request")?;
        let (rest, service) = rest.rsplit_once('/')?;
        let (rest, region) = rest.rsplit_once('/')?;
        let is_date = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (access_key, region) = match rest.rsplit_once('/') {
            Some((access_key, date)) if is_date(date) => (access_key, region),
            _ if is_date(region) => (rest, ""),
            _ => return None,
        };
        Some(Credential { access_key: access_key.into(), region: region.into(), service: service.into() })
    }

    fn into_owned(self) -> Credential<'static> {
        Credential {
            access_key: self.access_key.into_owned().into(),
            region: self.region.into_owned().into(),
            service: self.service.into_owned().into(),
        }
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let code = digit()? * 16 + digit()?;
            decoded.push(u8::try_from(code).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(value: &str) -> Option<Credential<'static>> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        Credential::of(&headers, None).map(Credential::into_owned)
    }

    fn credential(access_key: &'static str, region: &'static str) -> Option<Credential<'static>> {
        Some(Credential { access_key: access_key.into(), region: region.into(), service: "ecs".into() })
    }

    #[test]
    fn the_scope_is_read_from_the_header() {
        for (value, expected) in [
            (
                "AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-central-1/ecs/aws4_request, SignedHeaders=host, Signature=0",
                credential("AKID", "eu-central-1"),
            ),
            (
                "AWS4-HMAC-SHA256 SignedHeaders=host,Credential=A/B/20261124/eu-west-1/ecs/aws4_request,Signature=0",
                credential("A/B", "eu-west-1"),
            ),
            (
                "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261124/ecs/aws4_request, Signature=0",
                credential("AKID", ""),
            ),
            ("Bearer abc", None),
            ("Basic Credential=AKID/20261124/eu-central-1/ecs/aws4_request", None),
            ("AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-central-1/ecs", None),
            ("AWS4-HMAC-SHA256 Credential=AKID/today/eu-central-1/ecs/aws4_request", None),
            ("AWS4-HMAC-SHA256", None),
            ("", None),
        ] {
            assert_eq!(of_header(value), expected, "{value}");
        }
    }

    #[test]
    fn the_scope_of_a_presigned_request_is_read_from_its_query() {
        let headers = HeaderMap::new();
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261124%2Feu-central-1%2Fecs%2Faws4_request&b=c";
        assert_eq!(Credential::of(&headers, Some(query)), credential("AKID", "eu-central-1"));
        for query in
            ["", "X-Amz-Credential=", "X-Amz-Credential=%", "X-Amz-Credential=%zz", "X-Amz-Credential=%ff%2f"]
        {
            assert_eq!(Credential::of(&headers, Some(query)), None, "{query}");
        }
        assert_eq!(Credential::of(&headers, None), None);
    }
}
