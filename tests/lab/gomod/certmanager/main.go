// Cert-manager with what the laboratory needs of it: issuers that vouch for themselves or sign with an authority, their
// certificates, and the injector of authorities into webhook configurations. All of it is one process with the rights of
// KUBECONFIG; `-health` is where it answers /readyz once it is started.
package main

import (
	"context"
	"flag"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/pkg/api"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	"github.com/cert-manager/cert-manager/pkg/util"
)

const workers = 2

func main() {
	health := flag.String("health", "127.0.0.1:9402", "address of /readyz")
	flag.Parse()
	ctrl.SetLogger(klog.Background())
	utilruntime.Must(run(ctrl.SetupSignalHandler(), os.Getenv("KUBECONFIG"), *health))
}

func run(ctx context.Context, kubeconfig, health string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	known := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(known))
	utilruntime.Must(api.AddToScheme(known))
	all, err := ctrl.NewManager(util.RestConfigWithUserAgent(config, "cainjector"), ctrl.Options{
		Scheme:                 known,
		HealthProbeBindAddress: health,
		Metrics:                server.Options{BindAddress: "0"},
		// Events of Secrets come without their data, so a cache of these could be older than the event.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	if err != nil {
		return err
	}
	injected := map[string]bool{
		cainjector.MutatingWebhookConfigurationName:   true,
		cainjector.ValidatingWebhookConfigurationName: true,
	}
	options := cainjector.SetupOptions{EnableCertificatesDataSource: true, EnabledReconcilersFor: injected}
	if err := cainjector.RegisterAllInjectors(ctx, all, options); err != nil {
		return err
	}
	if err := addControllers(ctx, all, kubeconfig); err != nil {
		return err
	}
	if err := all.AddReadyzCheck("started", healthz.Ping); err != nil {
		return err
	}
	return all.Start(ctx)
}

// addControllers adds every controller that is linked in, and the informers that they share.
func addControllers(ctx context.Context, all manager.Manager, kubeconfig string) error {
	shared, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig: kubeconfig,
		CertificateOptions: controller.CertificateOptions{
			// As cert-manager has them by itself.
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
	})
	if err != nil {
		return err
	}
	for _, build := range controller.Known() {
		one, err := build(shared)
		if err != nil {
			return err
		}
		err = all.Add(manager.RunnableFunc(func(ctx context.Context) error { return one.Run(workers, ctx) }))
		if err != nil {
			return err
		}
	}
	informers, err := shared.Build("informers")
	if err != nil {
		return err
	}
	informers.SharedInformerFactory.Start(ctx.Done())
	informers.KubeSharedInformerFactory.Start(ctx.Done())
	return nil
}
