import KubeAPI
import KubeSchema
import Testing

@testable import Kubelet

@Suite struct ModelTests {
    @Test(arguments: [
        ("1", 1.0), ("250m", 0.25), ("64Mi", 67_108_864), ("1.5Gi", 1_610_612_736), ("2e3", 2000), ("1k", 1000),
    ])
    func `a quantity is a number with a suffix`(text: String, value: Double) {
        #expect(Quantity.value(text) == value)
    }

    @Test(arguments: ["", "x", "1Q", "Mi"])
    func `what is no quantity has no value`(text: String) { #expect(Quantity.value(text) == nil) }

    @Test(arguments: [
        ("nginx", ContainerSpecification.PullPolicy.always), ("nginx:latest", .always), ("nginx:1.22", .ifNotPresent),
        ("host:5000/nginx", .always), ("host:5000/nginx:1", .ifNotPresent),
        ("nginx@sha256:00", .ifNotPresent),
    ])
    func `an image without a fixed tag is pulled each time`(image: String, policy: ContainerSpecification.PullPolicy) {
        #expect(ContainerSpecification.defaultPullPolicy(of: image) == policy)
    }
}
