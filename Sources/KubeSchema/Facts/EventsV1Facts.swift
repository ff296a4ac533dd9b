extension SchemaFacts {
    /// Messages and enumerations of events/v1; the notation is explained at ``SchemaFacts``.
    static let eventsV1 = """
        +Event;metadata 1 @ObjectMeta !;eventTime 2 u ! r;series 3 .EventSeries ?;reportingController 4 s r;reportingInstance 5 s r;action 6 s r;reason 7 s r;regarding 8 :core/v1.ObjectReference;related 9 :core/v1.ObjectReference ?;note 10 s;type 11 s r;deprecatedSource 12 :core/v1.EventSource;deprecatedFirstTimestamp 13 t;deprecatedLastTimestamp 14 t;deprecatedCount 15 i
        EventSeries;count 1 i ! r;lastObservedTime 2 u ! r
        +EventList;metadata 1 @ListMeta;items 2 *.Event ! r
        """
}
