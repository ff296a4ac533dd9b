import Glibc
import KubeSchema
import LinuxKit
import OrderedCollections

/// Makes the volumes of pods under the kubelet's root directory and removes them with the pod. Holds no state: what
/// is there is on disk.
struct VolumeManager<Objects: ReferencedObjects>: Sendable {
    let directories: PodDirectories
    let objects: Objects

    /// Makes what is missing of the pod's volumes, brings files from objects up to date and returns the host path of
    /// each volume by name.
    func prepare(_ pod: DesiredPod, facts: PodFacts) async throws(ContainerConfigurationError) -> [String: String] {
        var paths: [String: String] = [:]
        for volume in pod.volumes {
            guard let name = volume["name"]?.string else { continue }
            do {
                paths[name] = try await prepare(volume, name, pod, facts)
            } catch let error as ContainerConfigurationError {
                throw ContainerConfigurationError("volume \"\(name)\": \(error)")
            } catch {
                throw ContainerConfigurationError("volume \"\(name)\": \(error)")
            }
        }
        return paths
    }

    private func prepare(_ volume: JSON, _ name: String, _ pod: DesiredPod, _ facts: PodFacts) async throws -> String {
        let uid = pod.reference.uid
        if let path = volume["hostPath", "path"]?.string {
            try checkHostPath(path, volume["hostPath", "type"]?.string ?? "")
            return path
        }
        if let files = try await ProjectedVolume.files(of: volume, pod: pod, facts: facts, objects: objects) {
            let isSecret = volume["secret"] != nil || volume["projected"] != nil
            let path = "\(directories.volumes(uid))/kubernetes.io~\(isSecret ? "secret" : "configmap")/\(name)"
            try FileContents.makeDirectories(path)
            if isSecret { try mountMemory(on: path, options: "mode=755") }  // never on disk
            try AtomicWriter.write(files, to: path)
            return path
        }
        // A volume without a source is an empty directory, as it was from the beginning.
        let kinds = volume.object?.keys.filter { $0 != "name" } ?? []
        if let other = kinds.first(where: { $0 != "emptyDir" }), volume[other]?.isNull == false {
            throw ContainerConfigurationError(
                "expected emptyDir, hostPath, secret, configMap, downwardAPI or projected, found \(other)")
        }
        let path = "\(directories.volumes(uid))/kubernetes.io~empty-dir/\(name)"
        if !FileContents.exists(path) {
            try FileContents.makeDirectories(path)
            try FileTree.setMode(path, 0o777)
        }
        if volume["emptyDir", "medium"]?.string == "Memory" {
            let limit = volume["emptyDir", "sizeLimit"]?.string.flatMap(Quantity.units)
            try mountMemory(on: path, options: "mode=777" + (limit.map { ",size=\($0)" } ?? ""))
        }
        if let group = pod.securityContext["fsGroup"]?.integer {
            try FileTree.setGroup(path, UInt32(truncatingIfNeeded: group))
            try FileTree.setMode(path, 0o2777)
        }
        return path
    }

    /// Mounts a tmpfs once.
    private func mountMemory(on path: String, options: String) throws {
        if try Mounts.list().contains(where: { $0.mountPoint == path }) { return }
        try Mounts.tmpfs(on: path, options: options)
    }

    private func checkHostPath(_ path: String, _ type: String) throws {
        func expect(_ kind: UInt32, _ what: String) throws {
            guard FileTree.kind(path) == kind else {
                throw ContainerConfigurationError("hostPath \(path) is no \(what)")
            }
        }
        switch type {
        case "DirectoryOrCreate":
            if FileTree.kind(path) == nil { try FileContents.makeDirectories(path) }
            try expect(S_IFDIR, "directory")
        case "FileOrCreate":
            if FileTree.kind(path) == nil { try FileContents.replace(path, with: []) }
            try expect(S_IFREG, "file")
        case "Directory": try expect(S_IFDIR, "directory")
        case "File": try expect(S_IFREG, "file")
        case "Socket": try expect(S_IFSOCK, "socket")
        case "CharDevice": try expect(S_IFCHR, "character device")
        case "BlockDevice": try expect(S_IFBLK, "block device")
        default: break  // unchecked; the runtime makes a missing directory, as Docker did
        }
    }

    /// Returns the mounts of one container: its volumes, `/etc/hosts` and the file for its last words.
    func mounts(
        for container: ContainerSpecification, attempt: Int, of pod: DesiredPod, volumes: [String: String],
        podIP: String, environment: [String: String]
    ) throws(ContainerConfigurationError) -> [CRIMount] {
        do {
            var mounts: [CRIMount] = []
            for mount in container.volumeMounts {
                guard var source = volumes[mount.volume] else {
                    throw ContainerConfigurationError("volume \"\(mount.volume)\" is mounted but not defined")
                }
                if let subPath = mount.subPath { source = try self.subPath(subPath, of: source) }
                var entry = CRIMount()
                entry.hostPath = source
                entry.containerPath = mount.mountPath.hasPrefix("/") ? mount.mountPath : "/" + mount.mountPath
                entry.readonly = mount.isReadOnly
                switch mount.propagation {
                case "HostToContainer": entry.propagation = .propagationHostToContainer
                case "Bidirectional": entry.propagation = .propagationBidirectional
                default: break
                }
                mounts.append(entry)
            }
            let uid = pod.reference.uid
            if !pod.hostNetwork, !mounts.contains(where: { $0.containerPath == "/etc/hosts" }) {
                let hosts = HostsFile.text(for: pod, podIP: podIP)
                try FileContents.makeDirectories(directories.pod(uid))
                try FileContents.replace(directories.hostsFile(uid), with: Array(hosts.utf8))
                var entry = CRIMount()
                entry.hostPath = directories.hostsFile(uid)
                entry.containerPath = "/etc/hosts"
                mounts.append(entry)
            }
            let message = terminationMessageFile(container.name, attempt: attempt, uid: uid)
            try FileContents.makeDirectories(directories.container(uid, container.name))
            try FileContents.replace(message, with: [], mode: 0o666)
            try FileTree.setMode(message, 0o666)
            var entry = CRIMount()
            entry.hostPath = message
            entry.containerPath = container.terminationMessagePath
            mounts.append(entry)
            return mounts
        } catch let error as ContainerConfigurationError {
            throw error
        } catch {
            throw ContainerConfigurationError("\(error)")
        }
    }

    /// The file behind a container's `terminationMessagePath`.
    func terminationMessageFile(_ container: String, attempt: Int, uid: String) -> String {
        "\(directories.container(uid, container))/\(attempt)"
    }

    /// A path inside a volume, made if need be; refused when links lead out of it.
    private func subPath(_ path: String, of volume: String) throws -> String {
        let parts = path.split(separator: "/")
        guard !path.hasPrefix("/"), !parts.contains("..") else {
            throw ContainerConfigurationError("subPath \"\(path)\" must be relative, without ..")
        }
        let full = volume + "/" + parts.joined(separator: "/")
        if FileTree.kind(full) == nil { try FileContents.makeDirectories(full) }
        guard let real = FileTree.resolved(full), let root = FileTree.resolved(volume),
            real == root || real.hasPrefix(root + "/")
        else { throw ContainerConfigurationError("subPath \"\(path)\" leads out of its volume") }
        return real
    }

    /// Unmounts and deletes everything of a pod.
    func remove(uid: String) throws(SyscallError) {
        let directory = directories.pod(uid)
        for mount in try Mounts.list().reversed() where mount.mountPoint.hasPrefix(directory + "/") {
            try Mounts.unmount(mount.mountPoint, detach: true)
        }
        try FileTree.remove(directory)
    }
}

/// The `/etc/hosts` of a pod with a network of its own.
enum HostsFile {
    static func text(for pod: DesiredPod, podIP: String) -> String {
        var text = """
            # Written by the kubelet.
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            fe00::0\tip6-mcastprefix
            fe00::1\tip6-allnodes
            fe00::2\tip6-allrouters

            """
        if !podIP.isEmpty { text += "\(podIP)\t\(pod.hostname)\n" }
        for alias in pod.spec["hostAliases"]?.array ?? [] {
            guard let address = alias["ip"]?.string else { continue }
            text += "\(address)\t\(alias["hostnames"].strings.joined(separator: "\t"))\n"
        }
        return text
    }
}
