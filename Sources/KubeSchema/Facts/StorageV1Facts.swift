extension SchemaFacts {
    /// Messages and enumerations of storage/v1; the notation is explained at ``SchemaFacts``.
    static let storageV1 = """
        =FSGroupPolicy ReadWriteOnceWithFSType File None
        =StorageHealthStatusType StorageUnreachable StorageDegraded
        =VolumeBindingMode Immediate WaitForFirstConsumer
        =VolumeLifecycleMode Persistent Ephemeral
        +StorageClass;metadata 1 @ObjectMeta;provisioner 2 s ! r;parameters 3 {s;reclaimPolicy 4 score/v1.PersistentVolumeReclaimPolicy ?;mountOptions 5 *s A;allowVolumeExpansion 6 b ?;volumeBindingMode 7 sVolumeBindingMode ?;allowedTopologies 8 *:core/v1.TopologySelectorTerm A
        +StorageClassList;metadata 1 @ListMeta;items 2 *.StorageClass ! r
        +VolumeAttachment;metadata 1 @ObjectMeta;spec 2 .VolumeAttachmentSpec ! r;status 3 .VolumeAttachmentStatus
        +VolumeAttachmentList;metadata 1 @ListMeta;items 2 *.VolumeAttachment ! r
        VolumeAttachmentSpec;attacher 1 s ! r;source 2 .VolumeAttachmentSource ! r;nodeName 3 s ! r
        VolumeAttachmentSource;persistentVolumeName 1 s ?;inlineVolumeSpec 2 :core/v1.PersistentVolumeSpec ?
        VolumeAttachmentStatus;attached 1 b ! r;attachmentMetadata 2 {s;attachError 3 .VolumeError ?;detachError 4 .VolumeError ?
        VolumeError;time 1 t;message 2 s;errorCode 3 i ?
        +CSIDriver;metadata 1 @ObjectMeta r;spec 2 .CSIDriverSpec ! r
        +CSIDriverList;metadata 1 @ListMeta;items 2 *.CSIDriver ! r
        CSIDriverSpec;attachRequired 1 b ?;podInfoOnMount 2 b ?;volumeLifecycleModes 3 *sVolumeLifecycleMode S;storageCapacity 4 b ?;fsGroupPolicy 5 sFSGroupPolicy ?;tokenRequests 6 *.TokenRequest A;requiresRepublish 7 b ?;seLinuxMount 8 b ?;nodeAllocatableUpdatePeriodSeconds 9 l ?;serviceAccountTokenInSecrets 10 b ?;preventPodSchedulingIfMissing 11 b ?
        TokenRequest;audience 1 s ! r;expirationSeconds 2 l ?
        +CSINode;metadata 1 @ObjectMeta r;spec 2 .CSINodeSpec ! r;status 3 .CSINodeStatus
        CSINodeSpec;drivers 1 *.CSINodeDriver ! r K=name M=name
        CSINodeDriver;name 1 s ! r;nodeID 2 s ! r;topologyKeys 3 *s ! A;allocatable 4 .VolumeNodeResources ?
        VolumeNodeResources;count 1 i ?
        StorageHealthCondition;status 1 sStorageHealthStatusType ! r;reason 2 s ! r;message 3 s;accessMode 4 score/v1.PersistentVolumeAccessMode ?;volumeMode 5 score/v1.PersistentVolumeMode ?;lastTransitionTime 6 t
        StorageHealth;name 1 s ! r;healthConditions 2 *.StorageHealthCondition A
        CSINodeStatus;storageHealth 1 *.StorageHealth K=name M=name
        +CSINodeList;metadata 1 @ListMeta;items 2 *.CSINode ! r
        +CSIStorageCapacity;metadata 1 @ObjectMeta;nodeTopology 2 @LabelSelector ?;storageClassName 3 s ! r;capacity 4 q ?;maximumVolumeSize 5 q ?
        +CSIStorageCapacityList;metadata 1 @ListMeta;items 2 *.CSIStorageCapacity ! r
        +VolumeAttributesClass;metadata 1 @ObjectMeta;driverName 2 s ! r;parameters 3 {s r
        +VolumeAttributesClassList;metadata 1 @ListMeta;items 2 *.VolumeAttributesClass ! r
        """
}
