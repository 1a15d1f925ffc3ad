//! What is refused changes nothing, and neither does what only reads: looked at from outside, before and after.

use serde_json::Value;

use crate::dice::Dice;
use crate::generate::Generator;
use crate::mutate::{Wrong, apply, mutations};
use crate::scene;
use crate::schema::MODEL;
use crate::view::everything;
use crate::world::{ME, World};

/// How many right requests of each operation are made wrong.
const REQUESTS: usize = 6;
/// How many wrong ones are made of each.
const WRONG: usize = 25;

fn first_difference(before: &[Value], after: &[Value]) -> String {
    let pair = before.iter().zip(after).find(|(before, after)| before != after);
    pair.map_or("there is more or less than before".to_owned(), |(before, after)| {
        format!("{before}\n{after}")
    })
}

#[test]
fn what_is_refused_changes_nothing() {
    let world = World::new();
    let scene = scene::fill(&world);
    let before = everything(&world, ME);
    let mut generator = Generator { scene: &scene, dice: Dice::new(1) };
    for operation in &MODEL.operations {
        for _ in 0..REQUESTS {
            let request = generator.request(operation);
            let wrong: Vec<_> = mutations(&request, &operation.request)
                .into_iter()
                // A bad `include` of clusters is no error where none is found.
                .filter(|one| one.kind.is_refused() && one.kind != Wrong::Enum)
                .collect();
            for _ in 0..WRONG.min(wrong.len()) {
                let mutated = apply(&request, generator.dice.pick(&wrong));
                let answer = world.ask(ME, &operation.name, &mutated);
                assert_eq!(answer.status, 400, "{} {mutated}", operation.name);
            }
        }
        let after = everything(&world, ME);
        assert!(before == after, "{}: {}", operation.name, first_difference(&before, &after));
    }
}

#[test]
fn what_only_reads_changes_nothing() {
    let world = World::new();
    let scene = scene::fill(&world);
    let before = everything(&world, ME);
    let mut generator = Generator { scene: &scene, dice: Dice::new(1) };
    for operation in &MODEL.operations {
        let reads =
            ["List", "Describe", "Get", "Discover"].iter().any(|verb| operation.name.starts_with(verb));
        if !reads {
            continue;
        }
        for _ in 0..REQUESTS {
            let request = generator.request(operation);
            world.ask(ME, &operation.name, &request);
            for mutation in mutations(&request, &operation.request).iter().step_by(7) {
                world.ask(ME, &operation.name, &apply(&request, mutation));
            }
        }
    }
    let after = everything(&world, ME);
    assert!(before == after, "{}", first_difference(&before, &after));
}
