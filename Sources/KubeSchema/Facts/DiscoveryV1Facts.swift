extension SchemaFacts {
    /// Messages and enumerations of discovery/v1; the notation is explained at ``SchemaFacts``.
    static let discoveryV1 = """
        +EndpointSlice;metadata 1 @ObjectMeta;addressType 4 s ! r;endpoints 2 *.Endpoint ! A;ports 3 *.EndpointPort ! A
        Endpoint;addresses 1 *s ! r S;conditions 2 .EndpointConditions r;hostname 3 s ?;targetRef 4 :core/v1.ObjectReference ?;deprecatedTopology 5 {s;nodeName 6 s ?;zone 7 s ?;hints 8 .EndpointHints ?
        EndpointConditions;ready 1 b ?;serving 2 b ?;terminating 3 b ?
        EndpointHints;forZones 1 *.ForZone r A;forNodes 2 *.ForNode r A
        ForZone;name 1 s ! r
        ForNode;name 1 s ! r
        EndpointPort;name 1 s ? r;protocol 2 score/v1.Protocol ? r;port 3 i ? r;appProtocol 4 s ?
        +EndpointSliceList;metadata 1 @ListMeta;items 2 *.EndpointSlice ! r
        """
}
