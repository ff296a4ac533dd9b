extension SchemaFacts {
    /// Messages and enumerations of meta/v1; the notation is explained at ``SchemaFacts``.
    static let metaV1 = """
        =CauseType FieldValueNotFound FieldValueRequired FieldValueDuplicate FieldValueInvalid FieldValueNotSupported FieldValueForbidden FieldValueTooLong FieldValueTooMany InternalError FieldValueTypeInvalid UnexpectedServerResponse FieldManagerConflict ResourceVersionTooLarge
        =ConditionStatus True False Unknown
        =DeletionPropagation Orphan Background Foreground
        =FieldSelectorOperator In NotIn Exists DoesNotExist
        =IncludeObjectPolicy None Metadata Object
        =LabelSelectorOperator In NotIn Exists DoesNotExist
        =ManagedFieldsOperationType Apply Update
        =ResourceVersionMatch NotOlderThan Exact
        =RowConditionType Completed
        =StatusReason "" Unauthorized Forbidden NotFound AlreadyExists Conflict Gone Invalid ServerTimeout StorageReadError Timeout TooManyRequests BadRequest MethodNotAllowed NotAcceptable RequestEntityTooLarge UnsupportedMediaType InternalError Expired ServiceUnavailable
        ListMeta;selfLink 1 s;resourceVersion 2 s;continue 3 s r;remainingItemCount 4 l ?;shardInfo 5 .ShardInfo ?
        ShardInfo;selector 1 s ! r
        ObjectMeta;name 1 s;generateName 2 s;namespace 3 s;selfLink 4 s;uid 5 s;resourceVersion 6 s;generation 7 l;creationTimestamp 8 t;deletionTimestamp 9 t ?;deletionGracePeriodSeconds 10 l ?;labels 11 {s;annotations 12 {s;ownerReferences 13 *.OwnerReference K=uid M=uid;finalizers 14 *s S M;managedFields 17 *.ManagedFieldsEntry A
        OwnerReference;apiVersion 5 s ! r;kind 1 s ! r;name 3 s ! r;uid 4 s ! r;controller 6 b ?;blockOwnerDeletion 7 b ?
        +ListOptions;labelSelector 1 s;fieldSelector 2 s;watch 3 b;allowWatchBookmarks 9 b;resourceVersion 4 s;resourceVersionMatch 10 sResourceVersionMatch;timeoutSeconds 5 l ?;limit 7 l r;continue 8 s r;sendInitialEvents 11 b ?;shardSelector 15 s
        +GetOptions;resourceVersion 1 s
        +DeleteOptions;gracePeriodSeconds 1 l ?;preconditions 2 .Preconditions ?;orphanDependents 3 b ?;propagationPolicy 4 sDeletionPropagation ?;dryRun 5 *s A;ignoreStoreReadErrorWithClusterBreakingPotential 6 b ?
        +CreateOptions;dryRun 1 *s A;fieldManager 3 s;fieldValidation 4 s
        +PatchOptions;dryRun 1 *s A;force 2 b ?;fieldManager 3 s;fieldValidation 4 s
        +ApplyOptions;dryRun 1 *s A;force 2 b ! r;fieldManager 3 s ! r
        +UpdateOptions;dryRun 1 *s A;fieldManager 2 s;fieldValidation 3 s
        Preconditions;uid 1 s ?;resourceVersion 2 s ?
        +Status;metadata 1 .ListMeta;status 2 s;message 3 s;reason 4 sStatusReason;details 5 .StatusDetails ?;code 6 i
        StatusDetails;name 1 s;group 2 s;kind 3 s;uid 6 s;causes 4 *.StatusCause A;retryAfterSeconds 5 i
        StatusCause;reason 1 sCauseType;message 2 s;field 3 s
        +List;metadata 1 .ListMeta;items 2 *r ! r
        +APIVersions;versions 1 *s ! r A;serverAddressByClientCIDRs 2 *.ServerAddressByClientCIDR ! r A
        +APIGroupList;groups 1 *.APIGroup ! r A
        +APIGroup;name 1 s ! r;versions 2 *.GroupVersionForDiscovery ! r A;preferredVersion 3 .GroupVersionForDiscovery;serverAddressByClientCIDRs 4 *.ServerAddressByClientCIDR A
        ServerAddressByClientCIDR;clientCIDR 1 s ! r;serverAddress 2 s ! r
        GroupVersionForDiscovery;groupVersion 1 s ! r;version 2 s ! r
        APIResource;name 1 s ! r;singularName 6 s ! r;namespaced 2 b ! r;group 8 s r;version 9 s r;kind 3 s ! r;verbs 4 *s ! r;shortNames 5 *s r A;categories 7 *s r A;storageVersionHash 10 s
        +APIResourceList;groupVersion 1 s ! r;resources 2 *.APIResource ! r A
        RootPaths;paths 1 *s ! r A
        LabelSelector;matchLabels 1 {s;matchExpressions 2 *.LabelSelectorRequirement A
        LabelSelectorRequirement;key 1 s ! r;operator 2 sLabelSelectorOperator ! r;values 3 *s A
        FieldSelectorRequirement;key 1 s ! r;operator 2 sFieldSelectorOperator ! r;values 3 *s A
        ManagedFieldsEntry;manager 1 s r;operation 2 sManagedFieldsOperationType r;apiVersion 3 s r;time 4 t ?;fieldsType 6 s r;fieldsV1 7 F ?;subresource 8 s r
        +Table;metadata 0 .ListMeta;columnDefinitions 0 *.TableColumnDefinition ! r A;rows 0 *.TableRow ! r A
        TableColumnDefinition;name 0 s ! r;type 0 s ! r;format 0 s ! r;description 0 s ! r;priority 0 i ! r
        TableRow;conditions 0 *.TableRowCondition A;object 0 r
        TableRowCondition;type 0 sRowConditionType ! r;status 0 sConditionStatus ! r;reason 0 s;message 0 s
        +TableOptions;includeObject 1 sIncludeObjectPolicy r
        +PartialObjectMetadata;metadata 1 .ObjectMeta
        +PartialObjectMetadataList;metadata 1 .ListMeta;items 2 *.PartialObjectMetadata ! r
        Condition;type 1 s ! r;status 2 sConditionStatus ! r;observedGeneration 3 l;lastTransitionTime 4 t ! r;reason 5 s ! r;message 6 s ! r
        GroupVersionKind;group 1 s ! r;version 2 s ! r;kind 3 s ! r
        GroupVersionResource;group 1 s ! r;version 2 s ! r;resource 3 s ! r
        """
}
