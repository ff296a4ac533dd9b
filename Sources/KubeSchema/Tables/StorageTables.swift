import OrderedCollections

extension TableLayout {
    static let storage: [String: TableLayout] = [
        "persistentvolumes": volumes, "persistentvolumeclaims": claims, "storage.k8s.io/storageclasses": classes,
        "storage.k8s.io/volumeattachments": attachments, "storage.k8s.io/csidrivers": drivers,
        "storage.k8s.io/csinodes": driverNodes, "storage.k8s.io/csistoragecapacities": capacities,
        "storage.k8s.io/volumeattributesclasses": attributeClasses,
    ]

    private static func modes(_ modes: [JSON]) -> String {
        modes.compactMap { mode in
            switch mode {
            case "ReadWriteOnce": "RWO"
            case "ReadOnlyMany": "ROX"
            case "ReadWriteMany": "RWX"
            case "ReadWriteOncePod": "RWOP"
            default: nil
            }
        }.joined(separator: ",")
    }

    private static let betaClass = "volume.beta.kubernetes.io/storage-class"

    private static func storageClass(_ object: JSON) -> JSON {
        .string(object["metadata", "annotations", betaClass]?.string ?? object.cell("spec", "storageClassName"))
    }

    private static func attributesClass(_ object: JSON) -> JSON {
        .string(object["spec", "volumeAttributesClassName"]?.string ?? "<unset>")
    }

    private static let volumes = TableLayout(columns: [
        .name, .text("Capacity", "Its size."), .text("Access Modes", "How it may be mounted."),
        .text("Reclaim Policy", "What becomes of it after its claim."),
        .text("Status", "Available, Bound, Released, …"),
        .text("Claim", "Who has it."), .text("StorageClass", "Its storage class."),
        .text("VolumeAttributesClass", "Its attributes class."), .text("Reason", "Why it is in this state."), .age,
        .wide("VolumeMode", "Filesystem or Block."),
    ]) { object, now in
        let claim = object["spec", "claimRef"]
        let phase = object["metadata", "deletionTimestamp"] == nil ? object.cell("status", "phase") : "Terminating"
        return [
            object.nameCell, .string(object.cell("spec", "capacity", "storage")),
            .string(modes(object.list("spec", "accessModes"))),
            .string(object.cell("spec", "persistentVolumeReclaimPolicy")), .string(phase),
            .string(claim.map { "\($0.cell("namespace"))/\($0.cell("name"))" } ?? ""), storageClass(object),
            attributesClass(object), .string(object.cell("status", "reason")), object.age(now),
            .string(object["spec", "volumeMode"]?.string ?? "<unset>"),
        ]
    }

    private static let claims = TableLayout(columns: [
        .name, .text("Status", "Pending, Bound or Lost."), .text("Volume", "The volume that it has."),
        .text("Capacity", "That volume's size."), .text("Access Modes", "How it may be mounted."),
        .text("StorageClass", "Its storage class."), .text("VolumeAttributesClass", "Its attributes class."), .age,
        .wide("VolumeMode", "Filesystem or Block."),
    ]) { object, now in
        let phase = object["metadata", "deletionTimestamp"] == nil ? object.cell("status", "phase") : "Terminating"
        let volume = object.cell("spec", "volumeName")
        return [
            object.nameCell, .string(phase), .string(volume),
            .string(volume.isEmpty ? "" : object.cell("status", "capacity", "storage")),
            .string(volume.isEmpty ? "" : modes(object.list("status", "accessModes"))), storageClass(object),
            attributesClass(object), object.age(now), .string(object["spec", "volumeMode"]?.string ?? "<unset>"),
        ]
    }

    private static let classes = TableLayout(columns: [
        .name, .text("Provisioner", "Who makes its volumes."),
        .text("ReclaimPolicy", "What becomes of a volume after its claim."),
        .text("VolumeBindingMode", "When volumes are made."),
        .text("AllowVolumeExpansion", "Whether volumes may grow."), .age,
    ]) { object, now in
        let names = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
        let isDefault = names.contains { object["metadata", "annotations", $0] == "true" }
        return [
            .string(object.cell("metadata", "name") + (isDefault ? " (default)" : "")),
            .string(object.cell("provisioner")), .string(object["reclaimPolicy"]?.string ?? "Delete"),
            .string(object["volumeBindingMode"]?.string ?? "Immediate"), object["allowVolumeExpansion"] ?? false,
            object.age(now),
        ]
    }

    private static let attachments = TableLayout(columns: [
        .name, .text("Attacher", "Who attaches."), .text("PV", "The volume."), .text("Node", "The node."),
        .flag("Attached", "Whether it is attached."), .age,
    ]) { object, now in
        [
            object.nameCell, .string(object.cell("spec", "attacher")),
            .string(object.cell("spec", "source", "persistentVolumeName")), .string(object.cell("spec", "nodeName")),
            object["status", "attached"] ?? false, object.age(now),
        ]
    }

    private static let drivers = TableLayout(columns: [
        .name, .flag("AttachRequired", "Whether volumes are attached before they are mounted."),
        .flag("PodInfoOnMount", "Whether it is told about the pod."),
        .flag("StorageCapacity", "Whether the scheduler looks at its capacity."),
        .text("TokenRequests", "Audiences of the tokens that it wants."),
        .flag("RequiresRepublish", "Whether it is called again from time to time."),
        .text("Modes", "Persistent, Ephemeral or both."), .age,
    ]) { object, now in
        let audiences = object.list("spec", "tokenRequests").map { $0.cell("audience") }
        let modes = object.list("spec", "volumeLifecycleModes").compactMap(\.string)
        return [
            object.nameCell, object["spec", "attachRequired"] ?? true, object["spec", "podInfoOnMount"] ?? false,
            object["spec", "storageCapacity"] ?? false,
            .string(audiences.isEmpty ? "<unset>" : audiences.joined(separator: ",")),
            object["spec", "requiresRepublish"] ?? false, orNone(modes.joined(separator: ",")), object.age(now),
        ]
    }

    private static let driverNodes = TableLayout(columns: [
        .name, .number("Drivers", "How many drivers the node has."), .age,
    ]) { [$0.nameCell, .integer(Int64($0.list("spec", "drivers").count)), $0.age($1)] }

    private static let capacities = TableLayout(columns: [
        .name, .text("StorageClassName", "The storage class."), .text("Capacity", "What is left."),
    ]) { object, _ in
        [object.nameCell, .string(object.cell("storageClassName")), .string(object["capacity"]?.string ?? "<unset>")]
    }

    private static let attributeClasses = TableLayout(columns: [
        .name, .text("DriverName", "The driver that knows the attributes."), .age,
    ]) { [$0.nameCell, .string($0.cell("driverName")), $0.age($1)] }
}
