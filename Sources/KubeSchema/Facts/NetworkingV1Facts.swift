extension SchemaFacts {
    /// Messages and enumerations of networking/v1; the notation is explained at ``SchemaFacts``.
    static let networkingV1 = """
        =PolicyType Ingress Egress
        +NetworkPolicy;metadata 1 @ObjectMeta;spec 2 .NetworkPolicySpec
        NetworkPolicySpec;podSelector 1 @LabelSelector !;ingress 2 *.NetworkPolicyIngressRule A;egress 3 *.NetworkPolicyEgressRule A;policyTypes 4 *sPolicyType A
        NetworkPolicyIngressRule;ports 1 *.NetworkPolicyPort A;from 2 *.NetworkPolicyPeer A
        NetworkPolicyEgressRule;ports 1 *.NetworkPolicyPort A;to 2 *.NetworkPolicyPeer A
        NetworkPolicyPort;protocol 1 score/v1.Protocol ?;port 2 p ?;endPort 3 i ?
        IPBlock;cidr 1 s ! r;except 2 *s A
        NetworkPolicyPeer;podSelector 1 @LabelSelector ?;namespaceSelector 2 @LabelSelector ?;ipBlock 3 .IPBlock ?
        +NetworkPolicyList;metadata 1 @ListMeta;items 2 *.NetworkPolicy ! r
        +Ingress;metadata 1 @ObjectMeta;spec 2 .IngressSpec;status 3 .IngressStatus
        +IngressList;metadata 1 @ListMeta;items 2 *.Ingress ! r
        IngressSpec;ingressClassName 4 s ?;defaultBackend 1 .IngressBackend ?;tls 2 *.IngressTLS A;rules 3 *.IngressRule A
        IngressTLS;hosts 1 *s A;secretName 2 s
        IngressStatus;loadBalancer 1 .IngressLoadBalancerStatus
        IngressLoadBalancerStatus;ingress 1 *.IngressLoadBalancerIngress A
        IngressLoadBalancerIngress;ip 1 s;hostname 2 s;ports 4 *.IngressPortStatus A
        IngressPortStatus;port 1 i ! r;protocol 2 score/v1.Protocol ! r;error 3 s ?
        IngressRule;host 1 s;+ 2 .IngressRuleValue
        IngressRuleValue;http 1 .HTTPIngressRuleValue ?
        HTTPIngressRuleValue;paths 1 *.HTTPIngressPath ! r A
        HTTPIngressPath;path 1 s;pathType 3 s ? ! r;backend 2 .IngressBackend ! r
        IngressBackend;service 4 .IngressServiceBackend ?;resource 3 :core/v1.TypedLocalObjectReference ?
        IngressServiceBackend;name 1 s ! r;port 2 .ServiceBackendPort r
        ServiceBackendPort;name 1 s;number 2 i
        +IngressClass;metadata 1 @ObjectMeta;spec 2 .IngressClassSpec
        IngressClassSpec;controller 1 s r;parameters 2 .IngressClassParametersReference ?
        IngressClassParametersReference;apiGroup 1 s ?;kind 2 s ! r;name 3 s ! r;scope 4 s ? !;namespace 5 s ?
        +IngressClassList;metadata 1 @ListMeta;items 2 *.IngressClass ! r
        +IPAddress;metadata 1 @ObjectMeta;spec 2 .IPAddressSpec r
        IPAddressSpec;parentRef 1 .ParentReference ? r
        ParentReference;group 1 s;resource 2 s r;namespace 3 s;name 4 s r
        +IPAddressList;metadata 1 @ListMeta;items 2 *.IPAddress ! r
        +ServiceCIDR;metadata 1 @ObjectMeta;spec 2 .ServiceCIDRSpec;status 3 .ServiceCIDRStatus
        ServiceCIDRSpec;cidrs 1 *s A
        ServiceCIDRStatus;conditions 1 *@Condition K=type M=type
        +ServiceCIDRList;metadata 1 @ListMeta;items 2 *.ServiceCIDR ! r
        """
}
