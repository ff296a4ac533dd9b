extension SchemaFacts {
    /// Messages and enumerations of coordination/v1; the notation is explained at ``SchemaFacts``.
    static let coordinationV1 = """
        =CoordinatedLeaseStrategy OldestEmulationVersion
        +Lease;metadata 1 @ObjectMeta;spec 2 .LeaseSpec
        LeaseSpec;holderIdentity 1 s ?;leaseDurationSeconds 2 i ?;acquireTime 3 u ?;renewTime 4 u ?;leaseTransitions 5 i ?;strategy 6 sCoordinatedLeaseStrategy ?;preferredHolder 7 s ?
        +LeaseList;metadata 1 @ListMeta;items 2 *.Lease ! r
        """
}
