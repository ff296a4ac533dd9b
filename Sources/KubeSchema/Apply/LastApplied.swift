import OrderedCollections

/// The annotation in which kubectl keeps what it applied from the client, and how objects come from there to apply on
/// the server.
extension ManagedFields {
    static let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"
    /// What all annotations of an object together may amount to.
    private static let annotationBytes = 256 * 1024

    /// The fields that were applied from the client and still have the values they were given.
    static func lastApplied(to live: JSON, _ shape: FieldShape) -> FieldSet {
        guard let text = live["metadata"]?["annotations"]?[lastAppliedAnnotation]?.string,
            let applied = try? JSON(parsing: Array(text.utf8))
        else { return .empty }
        let difference = FieldComparison(applied, live, shape)
        return FieldSet(of: applied, shape).subtracting(difference.modified).subtracting(difference.added)
            .subtracting(difference.removed)
    }

    /// Keeps the annotation, where there is one, up to date, for whoever goes back to applying from the client.
    static func refreshLastApplied(_ object: inout JSON, from configuration: JSON) {
        guard object["metadata"]?["annotations"]?[lastAppliedAnnotation] != nil else { return }
        var applied = configuration
        applied["metadata", "managedFields"] = nil
        applied["metadata", "annotations", lastAppliedAnnotation] = nil
        let text = "\(applied)\n"
        object["metadata", "annotations", lastAppliedAnnotation] =
            text.utf8.count < annotationBytes ? .string(text) : JSON?.none
    }
}
