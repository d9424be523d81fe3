// Kube-router's firewall alone, which enforces NetworkPolicies on one node. Its routes, its proxy and BGP are not built.
package main

import (
	"flag"
	"log"
	"os"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// A round that fails, because somebody else wrote to the same table, is not repeated before the next one.
const again = 10 * time.Second

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who it is, and where the apiserver is")
	node := flag.String("node", "", "whose pods it fences")
	services := flag.String("services", "", "the addresses of Services, as a CIDR")
	flag.Parse()
	must(os.Setenv("NODE_NAME", *node))
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	client, err := kubernetes.NewForConfig(config)
	must(err)
	run(client, settings(*services))
}

func settings(services string) *options.KubeRouterConfig {
	made := options.NewKubeRouterConfig()
	made.EnableIPv4 = true
	made.ClusterIPCIDRs = []string{services}
	made.IPTablesSyncPeriod = again
	return made
}

func run(client kubernetes.Interface, config *options.KubeRouterConfig) {
	never := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(never)
	factory.WaitForCacheSync(never)

	tables, sets, err := netpol.NewIPTablesHandlers(config)
	must(err)
	firewall, err := netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &sync.Mutex{}, tables, sets)
	must(err)
	handlers := map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       firewall.PodEventHandler,
		namespaces: firewall.NamespaceEventHandler,
		policies:   firewall.NetworkPolicyEventHandler,
	}
	for informer, handler := range handlers {
		_, err := informer.AddEventHandler(handler)
		must(err)
	}
	var running sync.WaitGroup
	running.Add(1)
	firewall.Run(unheard(), never, &running)
}

// Each round begins with a heartbeat, and waits until somebody takes it.
func unheard() chan<- *healthcheck.ControllerHeartbeat {
	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats {
		}
	}()
	return beats
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
