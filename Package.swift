// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of the layers in Sources/Architecture.md: a target imports only what stands above it.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grpc: Target.Dependency = .product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf: Target.Dependency = .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "fjord",
    products: [
        .executable(name: "overlayd", targets: ["overlayd"]),
        .executable(name: "fjord", targets: ["fjord"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // 0 system
        .target(name: "CLinux"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .target(name: "CBPF", linkerSettings: [.linkedLibrary("bpf")]),
        .plugin(name: "CompileBPF", capability: .buildTool(), path: "Sources/CompileBPF"),
        .systemLibrary(name: "CNftables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Addressing"),
        .target(name: "CommandLineSpelling"),
        .target(name: "LinuxKit", dependencies: ["CLinux", "Addressing"]),
        .target(
            name: "GRPCTransport",
            dependencies: [
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nio("NIOTLS"), http2, tls, grpc, log,
            ]),
        .target(
            name: "HTTPTransport",
            dependencies: [
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nio("NIOTLS"), http2, tls, log, lifecycle,
                .product(name: "HTTPTypes", package: "swift-http-types"), certificates, asn1,
            ]),

        // 1 core
        .target(
            name: "DataPlane", dependencies: ["LinuxKit", "Addressing", "CLinux", "CBPF"], exclude: ["bpf"],
            plugins: ["CompileBPF"]),
        .target(
            name: "ClusterStore",
            dependencies: ["GRPCTransport", grpc, grpcProtobuf, protobuf, log, lifecycle, tls],
            exclude: ["Protos"]),
        .target(
            name: "EmbeddedStore",
            dependencies: ["ClusterStore", .product(name: "GRDB", package: "GRDB.swift"), crypto, log, lifecycle]),

        // 2 overlay
        .target(name: "SubnetLeases", dependencies: ["ClusterStore", "Addressing", log, lifecycle]),
        .target(
            name: "OverheadMeter",
            dependencies: ["LinuxKit", "Addressing", "CPcap"]),
        .target(
            name: "OverlayDaemon",
            dependencies: [
                "DataPlane", "LinuxKit", "Addressing", "SubnetLeases", "CNftables", "HTTPTransport", log, lifecycle,
                nio("NIOCore"), .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),

        // 3 model
        .target(name: "KubeSchema", dependencies: [collections, yaml]),

        // 4 API
        .target(
            name: "KubeAPI",
            dependencies: [
                "KubeSchema", log, lifecycle, collections, tls, nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ]),

        // 5 shell
        .target(
            name: "APIServer",
            dependencies: [
                "CZlib", "KubeSchema", "ClusterStore", "HTTPTransport", "Addressing", log, lifecycle, collections,
                crypto,
                nio("NIOCore"), .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .target(
            name: "StoreServer",
            dependencies: [
                "EmbeddedStore", "ClusterStore", "GRPCTransport", grpc, protobuf, crypto, tls, log, lifecycle,
                nio("NIOCore"), nio("NIOPosix"),
            ]),
        .target(name: "Scheduler", dependencies: ["KubeAPI", "KubeSchema", log, lifecycle]),
        .target(name: "Controllers", dependencies: ["KubeAPI", "KubeSchema", log, lifecycle]),
        .target(
            name: "Kubelet",
            dependencies: [
                "KubeAPI", "KubeSchema", "GRPCTransport", "HTTPTransport", "LinuxKit", "Addressing", collections, grpc,
                tls,
                grpcProtobuf, protobuf, log, lifecycle, nio("NIOCore"), nio("NIOPosix"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            exclude: ["Protos"]),
        .target(
            name: "ServiceProxy",
            dependencies: ["KubeAPI", "KubeSchema", "LinuxKit", "Addressing", "CNftables", log, lifecycle]),
        .target(
            name: "LocalCluster",
            dependencies: [
                "LinuxKit", "CLinux", "Addressing", "ClusterStore", "KubeAPI", "KubeSchema", log, lifecycle,
                certificates,
                crypto, .product(name: "SwiftASN1", package: "swift-asn1"),
            ]),

        // 6 entry
        .executableTarget(
            name: "overlayd",
            dependencies: [
                "OverlayDaemon", "SubnetLeases", "OverheadMeter", "LinuxKit", "Addressing", "ClusterStore",
                "HTTPTransport",
                "CommandLineSpelling", arguments, log, lifecycle, signals,
            ]),
        .executableTarget(
            name: "fjord",
            dependencies: [
                "APIServer", "StoreServer", "EmbeddedStore", "ClusterStore", "Scheduler", "Controllers", "Kubelet",
                "ServiceProxy", "LocalCluster", "KubeAPI", "KubeSchema", "HTTPTransport", "GRPCTransport", "LinuxKit",
                "Addressing",
                "CommandLineSpelling", arguments, log, lifecycle, signals, tls, nio("NIOCore"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),

        .testTarget(
            name: "APIServerTests",
            dependencies: [
                "APIServer", "CZlib", "EmbeddedStore", "ClusterStore", "HTTPTransport", "KubeSchema", "Addressing", log,
                lifecycle, collections,
                nio("NIOCore"), .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "APIServerIntegrationTests",
            dependencies: [
                "APIServer", "EmbeddedStore", "ClusterStore", "HTTPTransport", "KubeSchema", "Addressing", log,
                lifecycle, "LinuxKit", nio("NIOCore"), .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "HTTPTransportTests",
            dependencies: [
                "HTTPTransport", nio("NIOCore"), log, lifecycle, certificates, asn1, crypto,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "GRPCTransportTests",
            dependencies: ["GRPCTransport", nio("NIOCore"), nio("NIOEmbedded"), http2, grpc, log]),
        .testTarget(name: "ClusterStoreTests", dependencies: ["ClusterStore", grpc, log]),
        .testTarget(
            name: "EmbeddedStoreTests",
            dependencies: ["EmbeddedStore", "ClusterStore", .product(name: "GRDB", package: "GRDB.swift"), log]),
        .testTarget(
            name: "StoreServerTests",
            dependencies: ["StoreServer", "EmbeddedStore", "ClusterStore", "GRPCTransport", grpc, log]),
        .testTarget(
            name: "StoreIntegrationTests",
            dependencies: [
                "StoreServer", "EmbeddedStore", "ClusterStore", "GRPCTransport", "LinuxKit", grpc, grpcProtobuf,
                protobuf, log, lifecycle,
            ]),
        .testTarget(name: "AddressingTests", dependencies: ["Addressing"]),
        .testTarget(
            name: "DataPlaneIntegrationTests",
            dependencies: ["DataPlaneTesting", "DataPlane", "LinuxKit", "Addressing"]),
        .target(name: "CCallCounter", path: "Tests/CCallCounter"),
        .target(name: "DataPlaneTesting", dependencies: ["DataPlane", "LinuxKit"], path: "Tests/DataPlaneTesting"),
        .testTarget(
            name: "DataPlaneTests",
            dependencies: ["CCallCounter", "DataPlaneTesting", "DataPlane", "LinuxKit", "Addressing"]),
        .testTarget(name: "KubeletTests", dependencies: ["Kubelet", "KubeAPI", "KubeSchema", "Addressing"]),
        .testTarget(
            name: "KubeletIntegrationTests",
            dependencies: [
                "Kubelet", "KubeAPI", "KubeSchema", "LinuxKit", "HTTPTransport", collections, lifecycle, log,
                nio("NIOCore"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(name: "LinuxKitTests", dependencies: ["LinuxKit", "CLinux"]),
        .testTarget(name: "LocalClusterTests", dependencies: ["LocalCluster", "Addressing"]),
        .testTarget(
            name: "LocalClusterIntegrationTests", dependencies: ["LocalCluster", "LinuxKit", "Addressing", log]),
        .testTarget(name: "LinuxKitIntegrationTests", dependencies: ["LinuxKit", "Addressing"]),
        .testTarget(name: "KubeSchemaTests", dependencies: ["KubeSchema", collections]),
        .testTarget(
            name: "OverlayDaemonTests", dependencies: ["OverlayDaemon", "SubnetLeases", "Addressing", "LinuxKit"]),
        .testTarget(name: "OverheadMeterTests", dependencies: ["OverheadMeter", "Addressing"]),
        .testTarget(name: "OverlayIntegrationTests", dependencies: ["LinuxKit", "Addressing"]),
        .testTarget(name: "SubnetLeasesTests", dependencies: ["SubnetLeases", "ClusterStore", "Addressing", log]),
        .testTarget(
            name: "SubnetLeasesIntegrationTests",
            dependencies: ["SubnetLeases", "ClusterStore", "Addressing", "LinuxKit", log, lifecycle]),
        .testTarget(name: "FjordCommandTests", dependencies: ["fjord", arguments]),
        .testTarget(name: "CommandLineSpellingTests", dependencies: ["CommandLineSpelling"]),
        .testTarget(name: "ServiceProxyTests", dependencies: ["ServiceProxy", "KubeAPI", "KubeSchema", "Addressing"]),
        .testTarget(
            name: "ServiceProxyIntegrationTests",
            dependencies: ["ServiceProxy", "KubeAPI", "KubeSchema", "Addressing", "LinuxKit", log]),
        .target(
            name: "KubeAPITesting", dependencies: ["KubeAPI", "KubeSchema", collections], path: "Tests/KubeAPITesting"),
        .testTarget(name: "KubeAPITests", dependencies: ["KubeAPI", "KubeAPITesting", "KubeSchema", log]),
        .testTarget(
            name: "SchedulerTests", dependencies: ["Scheduler", "KubeAPI", "KubeAPITesting", "KubeSchema", log]),
        .testTarget(
            name: "ControllersIntegrationTests", dependencies: ["KubeAPI", "KubeSchema", "LinuxKit", log]),
        .testTarget(
            name: "ControllersTests", dependencies: ["Controllers", "KubeAPI", "KubeAPITesting", "KubeSchema", log]),
    ]
)

// Tests are built in release too and look inside the parts of the control plane; the packet path stays closed, so that
// nothing keeps the optimizer from specializing it.
let packetPath: Set<String> = ["Addressing", "LinuxKit", "DataPlane"]
let testable: [SwiftSetting] = [.unsafeFlags(["-enable-testing"], .when(configuration: .release))]

for target in package.targets where target.type != .system && target.type != .plugin {
    target.swiftSettings = (target.swiftSettings ?? []) + settings + (packetPath.contains(target.name) ? [] : testable)
}
