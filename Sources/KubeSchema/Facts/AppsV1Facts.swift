extension SchemaFacts {
    /// Messages and enumerations of apps/v1; the notation is explained at ``SchemaFacts``.
    static let appsV1 = """
        =DaemonSetUpdateStrategyType RollingUpdate OnDelete
        =DeploymentConditionType Available Progressing ReplicaFailure
        =DeploymentStrategyType Recreate RollingUpdate
        =PersistentVolumeClaimRetentionPolicyType Retain Delete
        =PodManagementPolicyType OrderedReady Parallel
        =ReplicaSetConditionType ReplicaFailure
        =StatefulSetConditionType Progressing
        =StatefulSetUpdateStrategyType RollingUpdate OnDelete Recreate
        +StatefulSet;metadata 1 @ObjectMeta;spec 2 .StatefulSetSpec r;status 3 .StatefulSetStatus
        StatefulSetUpdateStrategy;type 1 sStatefulSetUpdateStrategyType;rollingUpdate 2 .RollingUpdateStatefulSetStrategy ?
        RollingUpdateStatefulSetStrategy;partition 1 i ?;maxUnavailable 2 p ?
        StatefulSetPersistentVolumeClaimRetentionPolicy;whenDeleted 1 sPersistentVolumeClaimRetentionPolicyType;whenScaled 2 sPersistentVolumeClaimRetentionPolicyType
        StatefulSetOrdinals;start 1 i !
        StatefulSetSpec;replicas 1 i ?;selector 2 @LabelSelector ? ! r;template 3 :core/v1.PodTemplateSpec ! r;volumeClaimTemplates 4 *:core/v1.PersistentVolumeClaim A;serviceName 5 s !;podManagementPolicy 6 sPodManagementPolicyType;updateStrategy 7 .StatefulSetUpdateStrategy;revisionHistoryLimit 8 i ?;minReadySeconds 9 i;persistentVolumeClaimRetentionPolicy 10 .StatefulSetPersistentVolumeClaimRetentionPolicy ?;ordinals 11 .StatefulSetOrdinals ?
        StatefulSetStatus;observedGeneration 1 l;replicas 2 i ! r;readyReplicas 3 i r;currentReplicas 4 i r;updatedReplicas 5 i r;currentRevision 6 s r;updateRevision 7 s r;collisionCount 9 i ?;conditions 10 *.StatefulSetCondition K=type M=type;availableReplicas 11 i !
        StatefulSetCondition;type 1 sStatefulSetConditionType !;status 2 score/v1.ConditionStatus !;lastTransitionTime 3 t;reason 4 s;message 5 s
        +StatefulSetList;metadata 1 @ListMeta;items 2 *.StatefulSet ! r
        +Deployment;metadata 1 @ObjectMeta;spec 2 .DeploymentSpec r;status 3 .DeploymentStatus
        DeploymentSpec;replicas 1 i ?;selector 2 @LabelSelector ? ! r;template 3 :core/v1.PodTemplateSpec ! r;strategy 4 .DeploymentStrategy R;minReadySeconds 5 i;revisionHistoryLimit 6 i ?;paused 7 b;progressDeadlineSeconds 9 i ?
        DeploymentStrategy;type 1 sDeploymentStrategyType;rollingUpdate 2 .RollingUpdateDeployment ?
        RollingUpdateDeployment;maxUnavailable 1 p ?;maxSurge 2 p ?
        DeploymentStatus;observedGeneration 1 l;replicas 2 i;updatedReplicas 3 i;readyReplicas 7 i;availableReplicas 4 i;unavailableReplicas 5 i;terminatingReplicas 9 i ?;conditions 6 *.DeploymentCondition r K=type M=type;collisionCount 8 i ?
        DeploymentCondition;type 1 sDeploymentConditionType !;status 2 score/v1.ConditionStatus !;lastUpdateTime 6 t;lastTransitionTime 7 t;reason 4 s;message 5 s
        +DeploymentList;metadata 1 @ListMeta;items 2 *.Deployment ! r
        DaemonSetUpdateStrategy;type 1 sDaemonSetUpdateStrategyType;rollingUpdate 2 .RollingUpdateDaemonSet ?
        RollingUpdateDaemonSet;maxUnavailable 1 p ?;maxSurge 2 p ?
        DaemonSetSpec;selector 1 @LabelSelector ? ! r;template 2 :core/v1.PodTemplateSpec ! r;updateStrategy 3 .DaemonSetUpdateStrategy;minReadySeconds 4 i;revisionHistoryLimit 6 i ?
        DaemonSetStatus;currentNumberScheduled 1 i ! r;numberMisscheduled 2 i ! r;desiredNumberScheduled 3 i ! r;numberReady 4 i ! r;observedGeneration 5 l;updatedNumberScheduled 6 i;numberAvailable 7 i;numberUnavailable 8 i;collisionCount 9 i ?;conditions 10 *.DaemonSetCondition K=type M=type
        DaemonSetCondition;type 1 s !;status 2 score/v1.ConditionStatus !;lastTransitionTime 3 t;reason 4 s;message 5 s
        +DaemonSet;metadata 1 @ObjectMeta;spec 2 .DaemonSetSpec r;status 3 .DaemonSetStatus
        +DaemonSetList;metadata 1 @ListMeta;items 2 *.DaemonSet ! r
        +ReplicaSet;metadata 1 @ObjectMeta;spec 2 .ReplicaSetSpec r;status 3 .ReplicaSetStatus
        +ReplicaSetList;metadata 1 @ListMeta;items 2 *.ReplicaSet ! r
        ReplicaSetSpec;replicas 1 i ?;minReadySeconds 4 i;selector 2 @LabelSelector ? ! r;template 3 :core/v1.PodTemplateSpec
        ReplicaSetStatus;replicas 1 i ! r;fullyLabeledReplicas 2 i;readyReplicas 4 i;availableReplicas 5 i;terminatingReplicas 7 i ?;observedGeneration 3 l;conditions 6 *.ReplicaSetCondition K=type M=type
        ReplicaSetCondition;type 1 sReplicaSetConditionType !;status 2 score/v1.ConditionStatus !;lastTransitionTime 3 t;reason 4 s;message 5 s
        +ControllerRevision;metadata 1 @ObjectMeta;data 2 r ! r;revision 3 l !
        +ControllerRevisionList;metadata 1 @ListMeta;items 2 *.ControllerRevision ! r
        """
}
