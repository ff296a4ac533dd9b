extension SchemaFacts {
    /// Messages and enumerations of autoscaling/v2; the notation is explained at ``SchemaFacts``.
    static let autoscalingV2 = """
        =HPAScalingPolicyType Pods Percent
        =HorizontalPodAutoscalerConditionType ScalingActive AbleToScale ScalingLimited ScaledToZero
        =MetricSourceType Object Pods Resource ContainerResource External
        =MetricTargetType Utilization Value AverageValue
        =ScalingPolicySelect Max Min Disabled
        +HorizontalPodAutoscaler;metadata 1 @ObjectMeta;spec 2 .HorizontalPodAutoscalerSpec r;status 3 .HorizontalPodAutoscalerStatus
        HorizontalPodAutoscalerSpec;scaleTargetRef 1 .CrossVersionObjectReference ! r;minReplicas 2 i ?;maxReplicas 3 i ! r;metrics 4 *.MetricSpec A;behavior 5 .HorizontalPodAutoscalerBehavior ?
        CrossVersionObjectReference;kind 1 s ! r;name 2 s ! r;apiVersion 3 s
        MetricSpec;type 1 sMetricSourceType ! r;object 2 .ObjectMetricSource ?;pods 3 .PodsMetricSource ?;resource 4 .ResourceMetricSource ?;containerResource 7 .ContainerResourceMetricSource ?;external 5 .ExternalMetricSource ?
        HorizontalPodAutoscalerBehavior;scaleUp 1 .HPAScalingRules ?;scaleDown 2 .HPAScalingRules ?
        HPAScalingRules;stabilizationWindowSeconds 3 i ?;selectPolicy 1 sScalingPolicySelect ?;policies 2 *.HPAScalingPolicy A;tolerance 4 q ?
        HPAScalingPolicy;type 1 sHPAScalingPolicyType ! r;value 2 i ! r;periodSeconds 3 i ! r
        ObjectMetricSource;describedObject 1 .CrossVersionObjectReference ! r;target 2 .MetricTarget ! r;metric 3 .MetricIdentifier ! r
        PodsMetricSource;metric 1 .MetricIdentifier ! r;target 2 .MetricTarget ! r
        ResourceMetricSource;name 1 score/v1.ResourceName ! r;target 2 .MetricTarget ! r
        ContainerResourceMetricSource;name 1 score/v1.ResourceName ! r;target 2 .MetricTarget ! r;container 3 s ! r
        ExternalMetricSource;metric 1 .MetricIdentifier ! r;target 2 .MetricTarget ! r
        MetricIdentifier;name 1 s ! r;selector 2 @LabelSelector ?
        MetricTarget;type 1 sMetricTargetType ! r;value 2 q ?;averageValue 3 q ?;averageUtilization 4 i ?
        HorizontalPodAutoscalerStatus;observedGeneration 1 l ?;lastScaleTime 2 t ?;currentReplicas 3 i;desiredReplicas 4 i ! r;currentMetrics 5 *.MetricStatus ! A;conditions 6 *.HorizontalPodAutoscalerCondition K=type M=type
        HorizontalPodAutoscalerCondition;type 1 sHorizontalPodAutoscalerConditionType ! r;status 2 score/v1.ConditionStatus ! r;lastTransitionTime 3 t;reason 4 s;message 5 s;observedGeneration 6 l ?
        MetricStatus;type 1 sMetricSourceType ! r;object 2 .ObjectMetricStatus ?;pods 3 .PodsMetricStatus ?;resource 4 .ResourceMetricStatus ?;containerResource 7 .ContainerResourceMetricStatus ?;external 5 .ExternalMetricStatus ?
        ObjectMetricStatus;metric 1 .MetricIdentifier ! r;current 2 .MetricValueStatus ! r;describedObject 3 .CrossVersionObjectReference ! r
        PodsMetricStatus;metric 1 .MetricIdentifier ! r;current 2 .MetricValueStatus ! r
        ResourceMetricStatus;name 1 score/v1.ResourceName ! r;current 2 .MetricValueStatus ! r
        ContainerResourceMetricStatus;name 1 score/v1.ResourceName ! r;current 2 .MetricValueStatus ! r;container 3 s ! r
        ExternalMetricStatus;metric 1 .MetricIdentifier ! r;current 2 .MetricValueStatus ! r
        MetricValueStatus;value 1 q ?;averageValue 2 q ?;averageUtilization 3 i ?
        +HorizontalPodAutoscalerList;metadata 1 @ListMeta;items 2 *.HorizontalPodAutoscaler ! r
        """
}
