extension SchemaFacts {
    /// Messages and enumerations of batch/v1; the notation is explained at ``SchemaFacts``.
    static let batchV1 = """
        =CompletionMode NonIndexed Indexed
        =ConcurrencyPolicy Allow Forbid Replace
        =JobConditionType Suspended Complete Failed FailureTarget SuccessCriteriaMet
        =PodFailurePolicyAction FailJob FailIndex Ignore Count
        =PodFailurePolicyOnExitCodesOperator In NotIn
        =PodReplacementPolicy TerminatingOrFailed Failed
        +Job;metadata 1 @ObjectMeta;spec 2 .JobSpec;status 3 .JobStatus
        +JobList;metadata 1 @ListMeta;items 2 *.Job ! r
        PodFailurePolicyOnExitCodesRequirement;containerName 1 s ?;operator 2 sPodFailurePolicyOnExitCodesOperator ! r;values 3 *i ! r S
        PodFailurePolicyOnPodConditionsPattern;type 1 score/v1.PodConditionType ! r;status 2 score/v1.ConditionStatus !
        PodFailurePolicyRule;action 1 sPodFailurePolicyAction ! r;onExitCodes 2 .PodFailurePolicyOnExitCodesRequirement ?;onPodConditions 3 *.PodFailurePolicyOnPodConditionsPattern A
        PodFailurePolicy;rules 1 *.PodFailurePolicyRule ! r A
        SuccessPolicy;rules 1 *.SuccessPolicyRule ! r A
        SuccessPolicyRule;succeededIndexes 1 s ?;succeededCount 2 i ?
        JobSpec;parallelism 1 i ?;completions 2 i ?;activeDeadlineSeconds 3 l ?;podFailurePolicy 11 .PodFailurePolicy ?;successPolicy 16 .SuccessPolicy ?;backoffLimit 7 i ?;backoffLimitPerIndex 12 i ?;maxFailedIndexes 13 i ?;selector 4 @LabelSelector ?;manualSelector 5 b ?;template 6 :core/v1.PodTemplateSpec ! r;ttlSecondsAfterFinished 8 i ?;completionMode 9 sCompletionMode ?;suspend 10 b ?;podReplacementPolicy 14 sPodReplacementPolicy ?;managedBy 15 s ?;scheduling 17 .JobSchedulingConfiguration ?
        JobSchedulingConfiguration;schedulingPolicy 1 J ?;schedulingConstraints 2 J ?;disruptionMode 3 J ?;resourceClaims 4 *J K=name M=name
        JobStatus;conditions 1 *.JobCondition A M=type;startTime 2 t ?;completionTime 3 t ?;active 4 i;succeeded 5 i;failed 6 i;terminating 11 i ?;completedIndexes 7 s;failedIndexes 10 s ?;uncountedTerminatedPods 8 .UncountedTerminatedPods ?;ready 9 i ? r
        UncountedTerminatedPods;succeeded 1 *s S;failed 2 *s S
        JobCondition;type 1 sJobConditionType ! r;status 2 score/v1.ConditionStatus ! r;lastProbeTime 3 t;lastTransitionTime 4 t;reason 5 s;message 6 s
        JobTemplateSpec;metadata 1 @ObjectMeta;spec 2 .JobSpec
        +CronJob;metadata 1 @ObjectMeta;spec 2 .CronJobSpec r;status 3 .CronJobStatus
        +CronJobList;metadata 1 @ListMeta;items 2 *.CronJob ! r
        CronJobSpec;schedule 1 s ! r;timeZone 8 s ?;startingDeadlineSeconds 2 l ?;concurrencyPolicy 3 sConcurrencyPolicy;suspend 4 b ?;jobTemplate 5 .JobTemplateSpec ! r;successfulJobsHistoryLimit 6 i ?;failedJobsHistoryLimit 7 i ?
        CronJobStatus;active 1 *:core/v1.ObjectReference A;lastScheduleTime 4 t ?;lastSuccessfulTime 5 t ?
        """
}
