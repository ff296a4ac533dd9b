extension SchemaFacts {
    /// Messages and enumerations of autoscaling/v1; the notation is explained at ``SchemaFacts``.
    static let autoscalingV1 = """
        =HorizontalPodAutoscalerConditionType ScalingActive AbleToScale ScalingLimited ScaledToZero
        =MetricSourceType Object Pods Resource ContainerResource External
        CrossVersionObjectReference;kind 1 s ! r;name 2 s ! r;apiVersion 3 s
        HorizontalPodAutoscalerSpec;scaleTargetRef 1 .CrossVersionObjectReference ! r;minReplicas 2 i ?;maxReplicas 3 i ! r;targetCPUUtilizationPercentage 4 i ?
        HorizontalPodAutoscalerStatus;observedGeneration 1 l ?;lastScaleTime 2 t ?;currentReplicas 3 i ! r;desiredReplicas 4 i ! r;currentCPUUtilizationPercentage 5 i ?
        +HorizontalPodAutoscaler;metadata 1 @ObjectMeta;spec 2 .HorizontalPodAutoscalerSpec r;status 3 .HorizontalPodAutoscalerStatus
        +HorizontalPodAutoscalerList;metadata 1 @ListMeta;items 2 *.HorizontalPodAutoscaler ! r
        +Scale;metadata 1 @ObjectMeta;spec 2 .ScaleSpec;status 3 .ScaleStatus
        ScaleSpec;replicas 1 i D=0
        ScaleStatus;replicas 1 i ! r;selector 2 s
        MetricSpec;type 1 sMetricSourceType ! r;object 2 .ObjectMetricSource ?;pods 3 .PodsMetricSource ?;resource 4 .ResourceMetricSource ?;containerResource 7 .ContainerResourceMetricSource ?;external 5 .ExternalMetricSource ?
        ObjectMetricSource;target 1 .CrossVersionObjectReference ! r;metricName 2 s ! r;targetValue 3 q ! r;selector 4 @LabelSelector ?;averageValue 5 q ?
        PodsMetricSource;metricName 1 s ! r;targetAverageValue 2 q ! r;selector 3 @LabelSelector ?
        ResourceMetricSource;name 1 score/v1.ResourceName ! r;targetAverageUtilization 2 i ?;targetAverageValue 3 q ?
        ContainerResourceMetricSource;name 1 score/v1.ResourceName ! r;targetAverageUtilization 2 i ?;targetAverageValue 3 q ?;container 5 s ! r
        ExternalMetricSource;metricName 1 s ! r;metricSelector 2 @LabelSelector ?;targetValue 3 q ?;targetAverageValue 4 q ?
        MetricStatus;type 1 sMetricSourceType ! r;object 2 .ObjectMetricStatus ?;pods 3 .PodsMetricStatus ?;resource 4 .ResourceMetricStatus ?;containerResource 7 .ContainerResourceMetricStatus ?;external 5 .ExternalMetricStatus ?
        HorizontalPodAutoscalerCondition;type 1 sHorizontalPodAutoscalerConditionType ! r;status 2 score/v1.ConditionStatus ! r;lastTransitionTime 3 t;reason 4 s;message 5 s;observedGeneration 6 l ?
        ObjectMetricStatus;target 1 .CrossVersionObjectReference ! r;metricName 2 s ! r;currentValue 3 q ! r;selector 4 @LabelSelector ?;averageValue 5 q ?
        PodsMetricStatus;metricName 1 s ! r;currentAverageValue 2 q ! r;selector 3 @LabelSelector ?
        ResourceMetricStatus;name 1 score/v1.ResourceName ! r;currentAverageUtilization 2 i ?;currentAverageValue 3 q ! r
        ContainerResourceMetricStatus;name 1 score/v1.ResourceName ! r;currentAverageUtilization 2 i ?;currentAverageValue 3 q ! r;container 4 s ! r
        ExternalMetricStatus;metricName 1 s ! r;metricSelector 2 @LabelSelector ?;currentValue 3 q ! r;currentAverageValue 4 q ?
        """
}
