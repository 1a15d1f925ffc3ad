//! `scalingTarget`: its defaults and bounds.

use crate::error::EcsError;
use crate::model::{ExpressGatewayScalingTarget, ExpressGatewayServiceScalingMetric as Metric};

/// Tasks at least and at most, if nobody says. (AWS documentation, Express Mode)
const DEFAULT_COUNTS: (i32, i32) = (1, 20);
/// `autoScalingTargetValue`, if nobody says. (API model)
const DEFAULT_VALUE: i32 = 60;

/// The target of a service that had `before` and is given `given`: members that are left out stay, or get ECS's
/// defaults.
///
/// # Errors
/// `InvalidParameterException` for a count below zero, a maximum below the minimum or below one, and a value that
/// the metric can't have.
pub fn scaling_target(
    before: Option<&ExpressGatewayScalingTarget>,
    given: Option<&ExpressGatewayScalingTarget>,
) -> Result<ExpressGatewayScalingTarget, EcsError> {
    let number = |of: fn(&ExpressGatewayScalingTarget) -> Option<i32>| {
        given.and_then(of).or_else(|| before.and_then(of))
    };
    let least = number(|target| target.min_task_count).unwrap_or(DEFAULT_COUNTS.0);
    // Who only says a large minimum means no smaller maximum.
    let most = number(|target| target.max_task_count).unwrap_or(DEFAULT_COUNTS.1.max(least));
    let metric = |target: &ExpressGatewayScalingTarget| target.auto_scaling_metric;
    let metric = given.and_then(metric).or_else(|| before.and_then(metric)).unwrap_or(Metric::AverageCpu);
    let value = number(|target| target.auto_scaling_target_value).unwrap_or(DEFAULT_VALUE);
    let refuse = |message: String| Err(EcsError::invalid_parameter(message));
    if least < 0 {
        return refuse("scalingTarget.minTaskCount can not be lesser than 0".to_owned());
    }
    if most < 1 {
        return refuse("scalingTarget.maxTaskCount can not be lesser than 1".to_owned());
    }
    if most < least {
        return refuse(format!(
            "scalingTarget.maxTaskCount ({most}) can not be lesser than scalingTarget.minTaskCount ({least})"
        ));
    }
    if value < 1 {
        return refuse("scalingTarget.autoScalingTargetValue can not be lesser than 1".to_owned());
    }
    if value > 100 && metric != Metric::RequestCountPerTarget {
        return refuse(format!(
            "scalingTarget.autoScalingTargetValue can not be greater than 100 for {metric}"
        ));
    }
    Ok(ExpressGatewayScalingTarget {
        min_task_count: Some(least),
        max_task_count: Some(most),
        auto_scaling_metric: Some(metric),
        auto_scaling_target_value: Some(value),
    })
}

/// The number of tasks within the target's bounds that is nearest to `count`.
pub fn bound(target: &ExpressGatewayScalingTarget, count: i32) -> i32 {
    let least = target.min_task_count.unwrap_or(DEFAULT_COUNTS.0);
    let most = target.max_task_count.unwrap_or(DEFAULT_COUNTS.1);
    count.min(most).max(least)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(json: serde_json::Value) -> ExpressGatewayScalingTarget {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_left_out_stays_or_is_the_default() {
        let defaults = scaling_target(None, None).unwrap();
        assert_eq!(
            serde_json::to_value(&defaults).unwrap(),
            json!({
                "minTaskCount": 1, "maxTaskCount": 20, "autoScalingMetric": "AVERAGE_CPU",
                "autoScalingTargetValue": 60
            })
        );
        let wide = scaling_target(None, Some(&target(json!({"minTaskCount": 30})))).unwrap();
        assert_eq!((wide.min_task_count, wide.max_task_count), (Some(30), Some(30)));
        let next = scaling_target(Some(&wide), Some(&target(json!({"maxTaskCount": 40})))).unwrap();
        assert_eq!((next.min_task_count, next.max_task_count), (Some(30), Some(40)));
        assert_eq!([0, 35, 99].map(|count| bound(&next, count)), [30, 35, 40]);
    }

    #[test]
    fn bounds_that_make_no_sense_are_refused() {
        for (json, words) in [
            (json!({"minTaskCount": -1}), "minTaskCount"),
            (json!({"minTaskCount": 0, "maxTaskCount": 0}), "maxTaskCount"),
            (json!({"minTaskCount": 3, "maxTaskCount": 2}), "maxTaskCount (2)"),
            (json!({"autoScalingTargetValue": 0}), "autoScalingTargetValue"),
            (json!({"autoScalingTargetValue": 101}), "AVERAGE_CPU"),
        ] {
            let refused = scaling_target(None, Some(&target(json.clone()))).unwrap_err();
            assert!(refused.message.contains(words), "{json}: {}", refused.message);
        }
        let requests =
            json!({"autoScalingMetric": "REQUEST_COUNT_PER_TARGET", "autoScalingTargetValue": 1000});
        assert!(scaling_target(None, Some(&target(requests))).is_ok());
    }
}
