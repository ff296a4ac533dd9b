extension SchemaFacts {
    /// Messages and enumerations of scheduling/v1; the notation is explained at ``SchemaFacts``.
    static let schedulingV1 = """
        +PriorityClass;metadata 1 @ObjectMeta;value 2 i !;globalDefault 3 b;description 4 s;preemptionPolicy 5 score/v1.PreemptionPolicy ?
        +PriorityClassList;metadata 1 @ListMeta;items 2 *.PriorityClass ! r
        """
}
