//! Where tasks go, rule by rule.

use super::*;

fn instances(zones: &[&str]) -> Vec<Candidate> {
    zones
        .iter()
        .enumerate()
        .map(|(index, zone)| Candidate {
            id: HexId::from_bits(index as u128),
            host: format!("i-{index}"),
            availability_zone: (*zone).to_owned(),
            remaining: Amounts { cpu: 1024, memory: 2048, ports: vec![22] },
            attributes: Vec::new(),
            available: true,
            of_group: 0,
            groups: Vec::new(),
            by_agent: false,
        })
        .collect()
}

fn demand(cpu: i64, memory: i64, ports: &[u16]) -> Demand {
    Demand { amounts: Amounts { cpu, memory, ports: ports.to_vec() }, ..Demand::default() }
}

fn strategy(r#type: PlacementStrategyType, field: &str) -> model::PlacementStrategy {
    model::PlacementStrategy { r#type: Some(r#type), field: Some(field.to_owned()) }
}

#[test]
fn each_instance_says_what_it_lacks() {
    for (wanted, misfit) in [
        (demand(2048, 1, &[]), Misfit::Cpu),
        (demand(1, 4096, &[]), Misfit::Memory),
        (demand(1, 1, &[22]), Misfit::Ports),
    ] {
        let refused = place(&mut instances(&["a"]), &wanted, 0).unwrap_err();
        assert_eq!(refused, [(HexId::from_bits(0), misfit)]);
    }
}

#[test]
fn without_a_strategy_tasks_are_spread_over_the_zones() {
    let mut all = instances(&["a", "a", "b"]);
    let wanted = demand(100, 100, &[]);
    let zones: Vec<_> = (0..4)
        .map(|_| {
            let index = place(&mut all, &wanted, 0).unwrap();
            all[index].availability_zone.clone()
        })
        .collect();
    assert_eq!(zones.iter().filter(|zone| *zone == "a").count(), 2);
}

#[test]
fn binpack_fills_one_instance_before_the_next() {
    let mut all = instances(&["a", "b"]);
    let mut wanted = demand(512, 100, &[]);
    wanted.strategies = vec![strategy(PlacementStrategyType::Binpack, "cpu")];
    let first = place(&mut all, &wanted, 1).unwrap();
    assert_eq!(place(&mut all, &wanted, 0), Ok(first));
    assert_ne!(place(&mut all, &wanted, 0), Ok(first), "it is full");
}

#[test]
fn member_of_keeps_tasks_to_the_instances_that_are_meant() {
    let mut all = instances(&["a", "b"]);
    let member_of = |expression: &str| {
        let mut wanted = demand(1, 1, &[]);
        wanted.constraints = vec![model::PlacementConstraint {
            r#type: Some(PlacementConstraintType::MemberOf),
            expression: Some(expression.to_owned()),
        }];
        wanted
    };
    assert_eq!(place(&mut all, &member_of("attribute:ecs.availability-zone == b"), 0), Ok(1));
    assert_eq!(place(&mut all, &member_of("ec2InstanceId =~ .*0"), 0), Ok(0));
    let nowhere = member_of("attribute:stack == prod");
    assert_eq!(all[0].check(&nowhere), Err(Misfit::MemberOf));
    assert_eq!(all[0].check(&member_of("nonsense")), Err(Misfit::MemberOf));
}

#[test]
fn an_agents_instance_must_tell_that_it_can_do_what_a_task_needs() {
    let mut all = instances(&["a"]);
    let needs = model::Attribute { name: "ecs.capability.efs".to_owned(), ..Default::default() };
    let wanted = Demand { requires: vec![needs.clone()], ..demand(1, 1, &[]) };
    assert_eq!(all[0].check(&wanted), Ok(()), "a node can do whatever the orchestrator accepts");
    all[0].by_agent = true;
    assert_eq!(all[0].check(&wanted), Err(Misfit::Attribute));
    all[0].attributes.push(needs);
    assert_eq!(all[0].check(&wanted), Ok(()));
}

#[test]
fn a_tasks_demand_is_the_sum_of_its_containers_as_overridden() {
    let container = |name: &str, cpu, memory, reservation| ContainerDefinition {
        name: Some(name.to_owned()),
        cpu: Some(cpu),
        memory,
        memory_reservation: reservation,
        ..ContainerDefinition::default()
    };
    let definition = model::TaskDefinition {
        container_definitions: Some(vec![
            container("a", 100, Some(300), Some(200)),
            container("b", 50, Some(64), None),
        ]),
        ..model::TaskDefinition::default()
    };
    let amounts = |overrides| {
        let found = demand_of(&definition, overrides);
        (found.cpu, found.memory)
    };
    assert_eq!(amounts(None), (150, 264));
    let overrides = model::TaskOverride {
        container_overrides: Some(vec![model::ContainerOverride {
            name: Some("b".to_owned()),
            cpu: Some(500),
            memory: Some(128),
            ..model::ContainerOverride::default()
        }]),
        ..model::TaskOverride::default()
    };
    assert_eq!(amounts(Some(&overrides)), (600, 328));
}

#[test]
fn distinct_instances_take_one_task_of_the_group_each() {
    let mut all = instances(&["a", "a"]);
    let mut wanted = demand(1, 1, &[]);
    wanted.constraints = vec![model::PlacementConstraint {
        r#type: Some(PlacementConstraintType::DistinctInstance),
        expression: None,
    }];
    assert!(place(&mut all, &wanted, 0).is_ok());
    assert!(place(&mut all, &wanted, 0).is_ok());
    let refused = place(&mut all, &wanted, 0).unwrap_err();
    assert!(refused.iter().all(|(_, misfit)| *misfit == Misfit::DistinctInstance));
}

#[test]
fn what_must_be_known_of_other_tasks_follows_from_the_demand() {
    let of = |kind, expression: Option<&str>| model::PlacementConstraint {
        r#type: Some(kind),
        expression: expression.map(str::to_owned),
    };
    let with = |constraint| Demand { constraints: vec![constraint], ..Demand::default() }.neighbours();
    let (counted, named) = (true, true);
    assert_eq!(Demand::default().neighbours(), Neighbours::default());
    assert_eq!(
        with(of(PlacementConstraintType::DistinctInstance, None)),
        Neighbours { counted, named: false }
    );
    assert_eq!(
        with(of(PlacementConstraintType::MemberOf, Some("task:group == service:web"))),
        Neighbours { counted: false, named }
    );
    let spread = strategy(PlacementStrategyType::Spread, "instanceId");
    let spread = Demand { strategies: vec![spread], ..Demand::default() };
    assert_eq!(spread.neighbours(), Neighbours { counted, named: false });
}

#[test]
fn a_task_goes_to_the_instance_with_a_task_of_a_group() {
    let mut all = instances(&["a", "b"]);
    all[1].groups.push("service:db".to_owned());
    let near = model::PlacementConstraint {
        r#type: Some(PlacementConstraintType::MemberOf),
        expression: Some("task:group == service:db".to_owned()),
    };
    let wanted = Demand { constraints: vec![near], ..demand(1, 1, &[]) };
    assert_eq!(place(&mut all, &wanted, 0), Ok(1));
    let apart = model::PlacementConstraint {
        r#type: Some(PlacementConstraintType::MemberOf),
        expression: Some("not(task:group == family:web)".to_owned()),
    };
    let wanted = Demand { constraints: vec![apart], group: "family:web".to_owned(), ..demand(1, 1, &[]) };
    let mut placed = || place(&mut all, &wanted, 0);
    assert_eq!((placed(), placed()), (Ok(0), Ok(1)));
    assert_eq!(placed().unwrap_err().len(), 2, "each has one of the group now");
}
