extension SchemaFacts {
    /// Messages and enumerations of certificates/v1; the notation is explained at ``SchemaFacts``.
    static let certificatesV1 = """
        =KeyUsage signing "digital signature" "content commitment" "key encipherment" "key agreement" "data encipherment" "cert sign" "crl sign" "encipher only" "decipher only" any "server auth" "client auth" "code signing" "email protection" s/mime "ipsec end system" "ipsec tunnel" "ipsec user" timestamping "ocsp signing" "microsoft sgc" "netscape sgc"
        =RequestConditionType Approved Denied Failed
        +CertificateSigningRequest;metadata 1 @ObjectMeta;spec 2 .CertificateSigningRequestSpec ! r;status 3 .CertificateSigningRequestStatus
        CertificateSigningRequestSpec;request 1 y ! r;signerName 7 s ! r;expirationSeconds 8 i ?;usages 5 *sKeyUsage r A;username 2 s;uid 3 s;groups 4 *s A;extra 6 {*s
        CertificateSigningRequestStatus;conditions 1 *.CertificateSigningRequestCondition K=type;certificate 2 y
        CertificateSigningRequestCondition;type 1 sRequestConditionType ! r;status 6 score/v1.ConditionStatus ! r;reason 2 s;message 3 s;lastUpdateTime 4 t;lastTransitionTime 5 t
        +CertificateSigningRequestList;metadata 1 @ListMeta;items 2 *.CertificateSigningRequest ! r
        +ClusterTrustBundle;metadata 1 @ObjectMeta;spec 2 .ClusterTrustBundleSpec ! r
        ClusterTrustBundleSpec;signerName 1 s;trustBundle 2 s ! r
        +ClusterTrustBundleList;metadata 1 @ListMeta;items 2 *.ClusterTrustBundle ! r
        +PodCertificateRequest;metadata 1 @ObjectMeta;spec 2 .PodCertificateRequestSpec ! r;status 3 .PodCertificateRequestStatus
        PodCertificateRequestSpec;signerName 1 s ! r;podName 2 s ! r;podUID 3 s ! r;serviceAccountName 4 s ! r;serviceAccountUID 5 s ! r;nodeName 6 s ! r;nodeUID 7 s ! r;maxExpirationSeconds 8 i ? D=86400;stubPKCS10Request 12 y ! r;unverifiedUserAnnotations 11 {s
        PodCertificateRequestStatus;conditions 1 *@Condition K=type M=type;certificateChain 2 s;notBefore 4 t ?;beginRefreshAt 5 t ?;notAfter 6 t ?
        +PodCertificateRequestList;metadata 1 @ListMeta;items 2 *.PodCertificateRequest ! r
        """
}
