import FoundationEssentials
import KubeSchema
import OrderedCollections
import SwiftProtobuf
import Synchronization

/// Gets images for containers. Pulls of one image at the same time are one pull for the registry, as the runtime sees
/// to; here it is only decided whether to pull at all.
struct ImagePuller: Sendable {
    let runtime: RuntimeClient

    /// An image that is there: its id, and the number of its user if it names one.
    struct Image: Sendable { var id: String, user: Int64? }

    /// The image of `container` without a pull, if its policy allows that and it is there.
    ///
    /// - Returns: `nil` when it has to be pulled.
    func present(_ container: ContainerSpecification) async throws(RuntimeError) -> Image? {
        guard container.pullPolicy != .always else { return nil }
        return try await runtime.image(container.image).map { Image($0) }
    }

    func pull(
        _ container: ContainerSpecification, for pod: DesiredPod, sandbox: CRIPodSandboxConfig,
        objects: some ReferencedObjects
    ) async throws(RuntimeError) -> Image {
        let credentials = await credentials(for: container.image, pod, objects)
        var failure: RuntimeError?
        for candidate in credentials.map(Optional.some) + [nil] {
            do {
                let id = try await runtime.pullImage(container.image, credentials: candidate, for: sandbox)
                return try await runtime.image(id).map { Image($0) } ?? Image(id: id, user: nil)
            } catch {
                failure = failure ?? error
            }
        }
        throw failure ?? RuntimeError(call: "PullImage", isUnavailable: false, isNotFound: false, message: "no answer")
    }

    /// The credentials among the pod's pull secrets whose registry is that of `image`.
    private func credentials(
        for image: String, _ pod: DesiredPod, _ objects: some ReferencedObjects
    ) async -> [CRIAuthConfig] {
        var found: [CRIAuthConfig] = []
        for name in (pod.spec["imagePullSecrets"]?.array ?? []).compactMap({ $0["name"]?.string }) {
            guard let secret = try? await objects.secret(name, namespace: pod.reference.namespace) else { continue }
            let data = SecretData.bytes(of: secret)
            let document = data[".dockerconfigjson"] ?? data[".dockercfg"] ?? []
            guard let json = try? JSON(parsing: document), let entries = (json["auths"] ?? json).object else {
                continue
            }
            for (server, entry) in entries where Self.registry(of: image) == Self.host(server) {
                found.append(
                    .with {
                        $0.username = entry["username"]?.string ?? ""
                        $0.password = entry["password"]?.string ?? ""
                        $0.auth = entry["auth"]?.string ?? ""
                        $0.serverAddress = Self.host(server)
                    })
            }
        }
        return found
    }

    /// The registry that an image's name speaks of: what is before the first slash if it looks like a host.
    static func registry(of image: String) -> String {
        let first = image.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
        guard image.contains("/"), first.contains(".") || first.contains(":") || first == "localhost" else {
            return "index.docker.io"
        }
        return first == "docker.io" ? "index.docker.io" : first
    }

    private static func host(_ server: String) -> String {
        let bare = server.replacing("https://", with: "").replacing("http://", with: "")
        let host = bare.split(separator: "/").first.map(String.init) ?? bare
        return host == "docker.io" ? "index.docker.io" : host
    }
}

extension ImagePuller.Image {
    init(_ image: CRIImage) {
        id = image.id
        user = image.hasUid ? image.uid.value : image.username.isEmpty ? 0 : nil
    }
}
