extension SchemaFacts {
    /// Messages and enumerations of rbac/v1; the notation is explained at ``SchemaFacts``.
    static let rbacV1 = """
        PolicyRule;verbs 1 *s ! r A;apiGroups 2 *s A;resources 3 *s A;resourceNames 4 *s A;nonResourceURLs 5 *s A
        Subject;kind 1 s ! r;apiGroup 2 s;name 3 s ! r;namespace 4 s
        RoleRef;apiGroup 1 s !;kind 2 s ! r;name 3 s ! r
        +Role;metadata 1 @ObjectMeta;rules 2 *.PolicyRule ! A
        +RoleBinding;metadata 1 @ObjectMeta;subjects 2 *.Subject A;roleRef 3 .RoleRef ! r
        +RoleBindingList;metadata 1 @ListMeta;items 2 *.RoleBinding ! r
        +RoleList;metadata 1 @ListMeta;items 2 *.Role ! r
        +ClusterRole;metadata 1 @ObjectMeta;rules 2 *.PolicyRule ! A;aggregationRule 3 .AggregationRule ?
        AggregationRule;clusterRoleSelectors 1 *@LabelSelector A
        +ClusterRoleBinding;metadata 1 @ObjectMeta;subjects 2 *.Subject A;roleRef 3 .RoleRef ! r
        +ClusterRoleBindingList;metadata 1 @ListMeta;items 2 *.ClusterRoleBinding ! r
        +ClusterRoleList;metadata 1 @ListMeta;items 2 *.ClusterRole ! r
        """
}
