extension SchemaFacts {
    /// Messages and enumerations of apidiscovery/v2; the notation is explained at ``SchemaFacts``.
    static let apidiscoveryV2 = """
        =DiscoveryFreshness Current Stale
        =ResourceScope Cluster Namespaced
        +APIGroupDiscoveryList;metadata 1 @ListMeta;items 2 *.APIGroupDiscovery !
        +APIGroupDiscovery;metadata 1 @ObjectMeta;versions 2 *.APIVersionDiscovery K=version
        APIVersionDiscovery;version 1 s !;resources 2 *.APIResourceDiscovery K=resource;freshness 3 sDiscoveryFreshness
        APIResourceDiscovery;resource 1 s !;responseKind 2 @GroupVersionKind ?;scope 3 sResourceScope !;singularResource 4 s !;verbs 5 *s ! S;shortNames 6 *s S;categories 7 *s S;subresources 8 *.APISubresourceDiscovery K=subresource
        APISubresourceDiscovery;subresource 1 s !;responseKind 2 @GroupVersionKind ?;acceptedTypes 3 *@GroupVersionKind K=group,version,kind;verbs 4 *s ! S
        """
}
