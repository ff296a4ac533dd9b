extension SchemaFacts {
    /// Messages and enumerations of policy/v1; the notation is explained at ``SchemaFacts``.
    static let policyV1 = """
        =UnhealthyPodEvictionPolicyType IfHealthyBudget AlwaysAllow
        PodDisruptionBudgetSpec;minAvailable 1 p ?;selector 2 @LabelSelector ? P;maxUnavailable 3 p ?;unhealthyPodEvictionPolicy 4 sUnhealthyPodEvictionPolicyType ?
        PodDisruptionBudgetStatus;observedGeneration 1 l;disruptedPods 2 {t;disruptionsAllowed 3 i !;currentHealthy 4 i !;desiredHealthy 5 i !;expectedPods 6 i !;conditions 7 *@Condition K=type M=type
        +PodDisruptionBudget;metadata 1 @ObjectMeta;spec 2 .PodDisruptionBudgetSpec;status 3 .PodDisruptionBudgetStatus
        +PodDisruptionBudgetList;metadata 1 @ListMeta;items 2 *.PodDisruptionBudget ! r
        +Eviction;metadata 1 @ObjectMeta;deleteOptions 2 @DeleteOptions ?
        """
}
