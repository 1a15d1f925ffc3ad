//! Every list, walked page by page while items come and go: what is there throughout is seen once, and a token is good
//! for its own list alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::listings::{Listing, clusters, listings};
use crate::schema::MODEL;
use crate::world::{Answer, ME, Who, World};

/// The same account elsewhere, and another account here.
const ELSEWHERE: [Who; 2] =
    [Who { account: ME.account, region: "us-west-2" }, Who { account: "444455556666", region: ME.region }];

/// A walk through a list, page by page.
struct Walk<'a> {
    listing: &'a Listing,
    world: &'a World,
}

impl Walk<'_> {
    fn page(&self, size: Option<i64>, token: Option<&Value>) -> (Vec<String>, Option<Value>) {
        let mut request = self.listing.request.clone();
        if let Some(size) = size {
            request["maxResults"] = json!(size);
        }
        if let Some(token) = token {
            request["nextToken"] = token.clone();
        }
        let answer = self.world.ok(self.listing.operation, &request);
        let keys = items(self.listing, &answer).iter().map(self.listing.key).collect();
        (keys, answer.get("nextToken").cloned())
    }

    fn all(&self, size: Option<i64>, mut between: impl FnMut()) -> (Vec<String>, Vec<Value>) {
        let (mut seen, mut tokens, mut token) = (Vec::new(), Vec::new(), None);
        loop {
            let (keys, next) = self.page(size, token.as_ref());
            if let Some(size) = size {
                assert!(keys.len() as i64 <= size, "{} has a page of {}", self.listing.operation, keys.len());
            }
            seen.extend(keys);
            let Some(next) = next else { return (seen, tokens) };
            tokens.push(next.clone());
            token = Some(next);
            between();
        }
    }
}

fn items(listing: &Listing, answer: &Value) -> Vec<Value> {
    let items = match listing.operation {
        "DescribeGatewayResources" => &answer["gatewayResources"]["resources"]["hostSharedAlb"],
        _ => &answer[listing.items],
    };
    items.as_array().cloned().unwrap_or_default()
}

fn refused(answer: &Answer, message: &str, what: &str) {
    assert_eq!(answer.error(), ("InvalidParameterException", message), "{what}");
}

/// Walks a list while items come and go.
fn walk(listing: &Listing, dice: &mut Dice) -> Vec<Value> {
    let world = World::new();
    (listing.prepare)(&world);
    for n in 0..listing.count {
        (listing.add)(&world, n * 2);
    }
    let on = Walk { listing, world: &world };
    let mut tokens = Vec::new();
    let mut there: BTreeMap<usize, String> =
        (0..listing.count).map(|n| (n * 2, (listing.made)(n * 2))).collect();
    let mut next = 1;
    for size in [1, 2, 7, 100] {
        let size = size.min(listing.most as i64);
        let before: BTreeSet<String> = on.all(None, || {}).0.into_iter().collect();
        let mut gone = BTreeSet::new();
        let (seen, given) = on.all(Some(size), || {
            if listing.count == 0 || dice.percent(60) {
                return;
            }
            (listing.add)(&world, next);
            next += 2;
            if let Some(remove) = listing.remove.filter(|_| !there.is_empty()) {
                let keys: Vec<usize> = there.keys().copied().collect();
                let n = *dice.pick(&keys);
                remove(&world, n);
                gone.extend(there.remove(&n));
            }
        });
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{}: an item is seen twice with {size}", listing.operation);
        let after: BTreeSet<String> = on.all(None, || {}).0.into_iter().collect();
        let skipped: Vec<_> = before.intersection(&after).filter(|key| !unique.contains(key)).collect();
        assert!(skipped.is_empty(), "{} skips {skipped:?} with {size}", listing.operation);
        let ghosts: Vec<_> =
            unique.iter().filter(|key| !before.contains(**key) && !after.contains(**key)).collect();
        assert!(ghosts.is_empty(), "{} shows {ghosts:?}", listing.operation);
        let removed =
            gone.iter().filter(|end| !end.is_empty() && after.iter().any(|key| key.ends_with(*end)));
        assert_eq!(removed.count(), 0, "{} still shows what is gone", listing.operation);
        tokens.extend(given);
    }
    check_sizes(&on);
    check_tokens(&on, &tokens, dice);
    tokens
}

fn check_sizes(on: &Walk<'_>) {
    let (listing, world) = (on.listing, on.world);
    let ask = |size: i64| {
        let mut request = listing.request.clone();
        request["maxResults"] = json!(size);
        world.ask(ME, listing.operation, &request)
    };
    let most = listing.most as i64;
    for size in [0, -1, i64::from(i32::MIN)] {
        refused(&ask(size), "Max results can not be lesser than 1", listing.operation);
    }
    for size in [most + 1, i64::from(i32::MAX)] {
        refused(&ask(size), &format!("Max results can not be greater than {most}"), listing.operation);
    }
    assert_eq!(ask(most).status, 200, "{}", listing.operation);
}

/// A token is refused when it is no token, when it was changed, and everywhere but in its own list.
fn check_tokens(on: &Walk<'_>, tokens: &[Value], dice: &mut Dice) {
    let (listing, world) = (on.listing, on.world);
    let with = |who: Who, request: &Value, token: &str| {
        let mut request = request.clone();
        request["nextToken"] = json!(token);
        world.ask(who, listing.operation, &request)
    };
    for token in ["", " ", "x", "AAAA", "null", "é", &"A".repeat(5_000)] {
        refused(&with(ME, &listing.request, token), "Invalid token", listing.operation);
    }
    let Some(token) = tokens.first().and_then(Value::as_str) else {
        assert_eq!(listing.operation, "DescribeGatewayResources", "the others have tokens");
        return;
    };
    for _ in 0..20 {
        let mut bytes = token.as_bytes().to_vec();
        let at = dice.below(bytes.len());
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        refused(&with(ME, &listing.request, &changed), "Invalid token", listing.operation);
    }
    refused(&with(ME, &listing.request, &token[..token.len() - 1]), "Invalid token", listing.operation);
    for who in ELSEWHERE {
        let answer = with(who, &listing.request, token);
        let code = answer.error().0;
        assert!(answer.status == 400, "{} of another scope: {code}", listing.operation);
    }
    let other = match listing.operation {
        "ListTaskDefinitions" => json!({"sort": "ASC"}),
        "ListTaskDefinitionFamilies" => json!({"status": "ALL"}),
        "ListServices" => json!({"schedulingStrategy": "REPLICA"}),
        "ListTasks" => json!({"desiredStatus": "STOPPED"}),
        "ListContainerInstances" => json!({"status": "DRAINING"}),
        "ListAttributes" => json!({"targetType": "container-instance", "attributeName": "x"}),
        "ListGateways" => json!({"status": ["ACTIVE"]}),
        "ListGatewayRoutes" | "ListGatewayClusterAssociations" => json!({"cluster": "default"}),
        "ListDaemonTaskDefinitions" => json!({"sort": "DESC"}),
        "ListDaemons" => json!({"capacityProviderArns": [ME.arn("capacity-provider/managed")]}),
        "ListServiceDeployments" => json!({"service": "one", "status": ["SUCCESSFUL"]}),
        "ListDaemonDeployments" => {
            json!({"daemonArn": ME.arn("daemon/default/one"), "status": ["SUCCESSFUL"]})
        }
        "DescribeCapacityProviders" => json!({"cluster": "default"}),
        "ListAccountSettings" => {
            json!({"effectiveSettings": true, "value": "enabled", "name": "fargateFIPSMode"})
        }
        _ => return,
    };
    refused(&with(ME, &other, token), "Invalid token", listing.operation);
}

#[test]
fn every_list_shows_what_is_there_throughout_exactly_once() {
    let listings = listings();
    let with_tokens: BTreeSet<&str> = MODEL
        .operations
        .iter()
        .filter(|operation| operation.request.member("nextToken").is_some())
        .map(|operation| operation.name.as_str())
        .collect();
    let covered: BTreeSet<&str> = listings.iter().map(|listing| listing.operation).collect();
    assert_eq!(covered, with_tokens, "every list of the model is walked");
    let results: Vec<(&str, Option<Value>)> = std::thread::scope(|scope| {
        let handles: Vec<_> = listings
            .iter()
            .enumerate()
            .map(|(seed, listing)| {
                scope.spawn(move || {
                    let tokens = walk(listing, &mut Dice::new(seed as u64 + 1));
                    println!("{}: {} tokens", listing.operation, tokens.len());
                    (listing.operation, tokens.into_iter().next())
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("a walk")).collect()
    });
    // No operation takes another's token, not even over the very same things.
    let world = World::new();
    clusters(&world);
    for (operation, _) in &results {
        let listing = listings.iter().find(|listing| listing.operation == *operation).expect("it is there");
        for (other, token) in &results {
            let Some(token) = token.as_ref().filter(|_| other != operation) else { continue };
            let mut request = listing.request.clone();
            request["nextToken"] = token.clone();
            let answer = world.ask(ME, operation, &request);
            assert_eq!(answer.status, 400, "{operation} takes a token of {other}");
        }
    }
}
