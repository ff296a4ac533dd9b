import OrderedCollections

extension ObjectChecker {
    /// Checks a pod's volumes and returns their names.
    mutating func volumes(_ volumes: [JSON], at path: String) -> Set<String> {
        var names: Set<String> = []
        for (index, volume) in volumes.enumerated() {
            let path = "\(path)[\(index)]"
            let name = volume["name"]?.string ?? ""
            if name.isEmpty {
                required("\(path).name")
            } else {
                if !lenient { invalid("\(path).name", name, Names.dns1123Label(name)) }
                if !names.insert(name).inserted { duplicate("\(path).name", .string(name)) }
            }
            let sources = (volume.object ?? [:]).keys.filter { $0 != "name" }
            if sources.isEmpty { required(path, "must specify a volume type") }
            for source in sources.dropFirst() {
                forbidden("\(path).\(source)", "may not specify more than 1 volume type")
            }
            if let source = sources.first, let body = volume[source] {
                self.source(body, source, at: "\(path).\(source)")
            }
        }
        return names
    }

    private mutating func source(_ source: JSON, _ type: String, at path: String) {
        switch type {
        case "hostPath":
            let file = source["path"]?.string ?? ""
            if file.isEmpty {
                required("\(path).path")
            } else if file.split(separator: "/").contains("..") {
                invalid("\(path).path", .string(file), "must not contain '..'")
            }
            choice(
                "\(path).type", source["type"],
                ["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice", ""],
                isRequired: false)
        case "secret":
            if (source["secretName"]?.string ?? "").isEmpty { required("\(path).secretName") }
            files(source, at: path)
        case "configMap":
            if (source["name"]?.string ?? "").isEmpty { required("\(path).name") }
            files(source, at: path)
        case "emptyDir":
            if let size = source["sizeLimit"]?.string.flatMap(ResourceQuantity.init), size < ResourceQuantity(0) {
                forbidden("\(path).sizeLimit", "SizeLimit field must be a valid resource quantity")
            }
        case "persistentVolumeClaim":
            if (source["claimName"]?.string ?? "").isEmpty { required("\(path).claimName") }
        case "nfs":
            for field in ["server", "path"] where (source[field]?.string ?? "").isEmpty { required("\(path).\(field)") }
        default: break
        }
    }

    /// The mode and the items of a volume made of keys.
    private mutating func files(_ source: JSON, at path: String) {
        mode(source["defaultMode"], at: "\(path).defaultMode")
        for (index, item) in (source["items"]?.array ?? []).enumerated() {
            let path = "\(path).items[\(index)]"
            if (item["key"]?.string ?? "").isEmpty { required("\(path).key") }
            let file = item["path"]?.string ?? ""
            if file.isEmpty { required("\(path).path") } else { relative(file, at: "\(path).path") }
            mode(item["mode"], at: "\(path).mode")
        }
    }

    private mutating func mode(_ mode: JSON?, at path: String) {
        guard let number = mode?.integer, !(0...0o777).contains(number) else { return }
        invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")
    }

    /// A path that must stay inside of its volume.
    mutating func relative(_ file: String, at path: String) {
        if file.hasPrefix("/") { invalid(path, .string(file), "must be a relative path") }
        if file.split(separator: "/").contains("..") { invalid(path, .string(file), "must not contain '..'") }
    }
}
