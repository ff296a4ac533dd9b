// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets of what takes bytes from the network, built with libFuzzer and AddressSanitizer: see run.sh. A package of
// its own, as everything in it is instrumented; the sources are the product's, by links, as far as they are needed.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"]),
]
let linker: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address"])]

let package = Package(
    name: "fjord-fuzzing",
    targets: [
        .target(name: "CLinux"),
        .target(name: "LinuxKit", dependencies: ["CLinux"], sources: ["ScatterList.swift"], swiftSettings: settings),
        .target(
            name: "DataPlane", dependencies: ["LinuxKit"],
            sources: [
                "Coalescer.swift", "CoalescedFlow.swift", "InnerPacket.swift", "InternetChecksum.swift",
                "PacketHeaders.swift", "Segmenter.swift", "VirtioNetHeader.swift",
            ], swiftSettings: settings),
        .target(name: "DataPlaneTesting", dependencies: ["DataPlane", "LinuxKit"], swiftSettings: settings),
    ]
        + ["FuzzChecksum", "FuzzSegmenter", "FuzzCoalescer"].map { name in
            .executableTarget(
                name: name, dependencies: ["DataPlaneTesting", "DataPlane"], swiftSettings: settings,
                linkerSettings: linker)
        }
)
