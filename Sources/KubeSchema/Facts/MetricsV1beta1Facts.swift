extension SchemaFacts {
    /// Messages and enumerations of metrics/v1beta1; the notation is explained at ``SchemaFacts``.
    static let metricsV1beta1 = """
        +NodeMetrics;metadata 1 @ObjectMeta;timestamp 2 t ! r;window 3 D ! r;usage 4 {q ! r
        +NodeMetricsList;metadata 1 @ListMeta r;items 2 *.NodeMetrics ! r
        +PodMetrics;metadata 1 @ObjectMeta;timestamp 2 t ! r;window 3 D ! r;containers 4 *.ContainerMetrics ! r A
        +PodMetricsList;metadata 1 @ListMeta r;items 2 *.PodMetrics ! r
        ContainerMetrics;name 1 s ! r;usage 2 {q ! r
        """
}
