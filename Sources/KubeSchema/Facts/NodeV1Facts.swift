extension SchemaFacts {
    /// Messages and enumerations of node/v1; the notation is explained at ``SchemaFacts``.
    static let nodeV1 = """
        +RuntimeClass;metadata 1 @ObjectMeta;handler 2 s ! r;overhead 3 .Overhead ?;scheduling 4 .Scheduling ?
        Overhead;podFixed 1 {q
        Scheduling;nodeSelector 1 {s A;tolerations 2 *:core/v1.Toleration A
        +RuntimeClassList;metadata 1 @ListMeta;items 2 *.RuntimeClass ! r
        """
}
